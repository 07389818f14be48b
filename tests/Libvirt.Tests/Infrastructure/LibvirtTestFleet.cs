using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Libvirt;
using ControlPlane.Hypervisor.Libvirt.Connections;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Lab.Hosts;
using ControlPlane.Testing.Libvirt;

namespace ControlPlane.Libvirt.Tests.Infrastructure;

/// <summary>The two hosts as a fleet of one test's own: emptied when the test is over, and before, of what a broken one left.</summary>
internal sealed class LibvirtTestFleet : ISpecificationFleet
{
    private readonly RigHosts hosts;
    private readonly LibvirtFleet fleet;
    private IHypervisor? source;
    private IHypervisor? target;

    public LibvirtTestFleet(RigHosts hosts, IReadOnlyDictionary<string, string>? labels = null)
    {
        (this.hosts, Labels) = (hosts, labels ?? new Dictionary<string, string>());
        fleet = NewFleet();
    }

    public static LibvirtOptions Options { get; } = new()
    {
        // A daemon on a machine that is busy with tests may be slow, and is not lost.
        OpenTimeout = TimeSpan.FromSeconds(30),
        KeepAliveInterval = TimeSpan.FromSeconds(10),
        ReconnectPauseMax = TimeSpan.FromSeconds(1),
        PollInterval = TimeSpan.FromMilliseconds(100),
        OutrunTime = TimeSpan.FromSeconds(1),
    };

    private IReadOnlyDictionary<string, string> Labels { get; }

    public IHypervisor Source => source ?? throw new InvalidOperationException("Only while a test runs.");

    public IHypervisor Target => target ?? throw new InvalidOperationException("Only while a test runs.");

    public TimeProvider Time => TimeProvider.System;

    /// <summary>Another control plane on the same hosts, or the same one after a restart: it knows nothing but what the hosts tell.</summary>
    public static LibvirtFleet NewFleet() => new(Options, TimeProvider.System);

    /// <summary>As an operator would add it: by TCP, with what only the other host needs to know in labels.</summary>
    public Host HostOf(LabHost host) => new(
        new HostId(new Guid(host == hosts.First ? 1 : 2, 0, 0, [0x80, 0, 0, 0, 0, 0, 0, 2])), host.Name, new HostBackend(BackendKind.Libvirt, Uri: host.TcpUri), HostState.Up, null,
        Labels.Concat(
        [
            new("libvirt-peer-uri", host.PeerTcpUri),
            // Machines that run tests often offer a KVM that does not work, and the guests are too small to need one.
            new("libvirt-domain-type", "qemu"),
        ]).ToDictionary(), HostCapacity.Unknown, CpuModel.Unknown, 1, 1, false, null,
        new Generation(1), null, default, default);

    public async Task RunAsync(Func<Task> test)
    {
        await hosts.BootAllAsync();
        Empty();
        source = (await fleet.OpenAsync(HostOf(hosts.First), CancellationToken.None)).Value;
        target = (await fleet.OpenAsync(HostOf(hosts.Second), CancellationToken.None)).Value;
        await test();
    }

    /// <summary>There is none; the tests that want one are exceptions.</summary>
    public PciAddress PhysicalFunction(IHypervisor host) => new(0, 0xee, 0, 0);

    public string ImageFor(GuestManner manner) => TinyGuest.NameOf(manner);

    public IReadOnlyDictionary<string, string> LabelsFor(GuestManner manner) => new Dictionary<string, string>();

    public Task CrashAsync(IHypervisor host) => hosts.CutPowerAsync(LabHostOf(host));

    public async Task ReviveAsync(IHypervisor host)
    {
        await hosts.BootAsync(LabHostOf(host));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!(await host.PingAsync(patience.Token)).Succeeded)
            await Task.Delay(Options.PollInterval, TimeProvider.System, patience.Token);
    }

    public Task BreakResetAsync(IHypervisor host, PciAddress function) => throw new NotSupportedException("Resets are the kernel's.");

    public async ValueTask DisposeAsync()
    {
        await fleet.DisposeAsync();
        await hosts.BootAllAsync();
        Empty();
    }

    /// <summary>How many disks of VMs the host has.</summary>
    public static int DisksOn(LabHost host) => Directory.GetFiles(host.ImageDirectory, "cp-*").Length;

    private LabHost LabHostOf(IHypervisor host) => host == Source ? hosts.First : hosts.Second;

    private void Empty()
    {
        foreach (var host in hosts.Rig.Hosts)
            HostContents.Remove(host);
    }
}

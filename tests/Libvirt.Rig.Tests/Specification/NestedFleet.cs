using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Libvirt;
using ControlPlane.Hypervisor.Libvirt.Connections;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Libvirt.Tests.Infrastructure;

namespace ControlPlane.Libvirt.Rig.Tests.Specification;

/// <summary>The nested hosts as a fleet of one test's own, through the backend as a server has it.</summary>
internal sealed class NestedFleet(FurnishedHosts hosts) : ISpecificationFleet
{
    private static readonly TimeSpan BootMax = TimeSpan.FromMinutes(2);

    private readonly LibvirtFleet fleet = new(Options, TimeProvider.System);
    private IHypervisor? source;
    private IHypervisor? target;

    public static LibvirtOptions Options { get; } = new()
    {
        OpenTimeout = TimeSpan.FromSeconds(30),
        KeepAliveInterval = TimeSpan.FromSeconds(2),
        ReconnectPauseMax = TimeSpan.FromSeconds(1),
        // A call to a nested host takes a tenth of a second and more: the end of a copy must be near for longer to be seen at all.
        HoldAhead = TimeSpan.FromSeconds(5),
        BrakeAhead = TimeSpan.FromSeconds(3),
        HostShell = ["bash", NestedHosts.Script(), "at", "{port}"],
    };

    public IHypervisor Source => source ?? throw new InvalidOperationException("Only while a test runs.");

    public IHypervisor Target => target ?? throw new InvalidOperationException("Only while a test runs.");

    public TimeProvider Time => TimeProvider.System;

    public async Task RunAsync(Func<Task> test)
    {
        var ct = TestContext.Current.CancellationToken;
        await hosts.EmptyAsync(ct);
        source = (await fleet.OpenAsync(HostOf(hosts.First), ct)).Value;
        target = (await fleet.OpenAsync(HostOf(hosts.Second), ct)).Value;
        await hosts.Log.PartAsync(TestContext.Current.Test?.TestDisplayName.Split('.')[^1] ?? "", async () =>
        {
            await test();
            return true;
        });
    }

    public PciAddress PhysicalFunction(IHypervisor host) => FurnishedHosts.PhysicalFunction;

    public string ImageFor(GuestManner manner) => TinyGuest.NameOf(manner);

    /// <summary>None of these guests knows net_failover: QEMU would keep a teamed function from them, and there would be nothing to unplug.</summary>
    public IReadOnlyDictionary<string, string> LabelsFor(GuestManner manner) => new Dictionary<string, string> { ["libvirt-teaming"] = "off" };

    public Task CrashAsync(IHypervisor host) => hosts.CutPowerAsync(Nested(host), TestContext.Current.CancellationToken);

    public async Task ReviveAsync(IHypervisor host)
    {
        await hosts.BootAsync(Nested(host), TestContext.Current.CancellationToken);
        using var patience = new CancellationTokenSource(BootMax, TimeProvider.System);
        while (!(await host.PingAsync(patience.Token)).Succeeded)
            await Task.Delay(Options.PollInterval, TimeProvider.System, patience.Token);
    }

    public Task BreakResetAsync(IHypervisor host, PciAddress function) =>
        Nested(host).RunAsync($"echo '' > /sys/bus/pci/devices/{function}/reset_method", TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => fleet.DisposeAsync();

    private NestedHost Nested(IHypervisor host) => host == Source ? hosts.First : hosts.Second;

    private static Host HostOf(NestedHost nested) => new(
        new HostId(new Guid(nested.Number, 0, 0, [0x80, 0, 0, 0, 0, 0, 0, 3])), nested.Name, new HostBackend(BackendKind.Libvirt, Uri: nested.Uri), HostState.Up, null,
        nested.Labels, HostCapacity.Unknown, CpuModel.Unknown, 1, 1, false, null, new Generation(1), null, default, default);
}

using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Libvirt;
using ControlPlane.Hypervisor.Libvirt.Connections;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Lab.Hosts;
using ControlPlane.Libvirt.Tests.Infrastructure;
using ControlPlane.Testing.Libvirt;

namespace ControlPlane.Libvirt.Faults.Tests.Infrastructure;

/// <summary>How the hosts of a test are reached.</summary>
/// <param name="Uri">By the control plane.</param>
/// <param name="Peer">By the other host.</param>
internal sealed record Way(Func<LabHost, string> Uri, Func<LabHost, string> Peer)
{
    public static readonly Way Tcp = new(host => host.TcpUri, host => host.PeerTcpUri);
    public static readonly Way Tls = new(host => host.TlsUri, host => host.PeerTlsUri);
}

/// <summary>The rig's hosts through the backend, for one test: no VM is there before it, and none after it.</summary>
internal sealed class RigFleet : IAsyncDisposable
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(50);

    private readonly FaultRig rig;
    private readonly LibvirtFleet fleet;

    private RigFleet(FaultRig rig, LibvirtOptions options) => (this.rig, fleet) = (rig, new LibvirtFleet(options, TimeProvider.System));

    /// <summary>Long enough for the busiest machine; what holds, holds much sooner.</summary>
    public static TimeSpan Deadline { get; } = TimeSpan.FromMinutes(2);

    public static LibvirtOptions Options { get; } = new()
    {
        KeepAliveInterval = TimeSpan.FromSeconds(1),
        ReconnectPauseMax = TimeSpan.FromSeconds(1),
        PollInterval = TimeSpan.FromMilliseconds(100),
        // A rig's known hosts are not those of the user who runs the tests.
        AllowsProgramsInUris = true,
        // These tests ask once, and nobody gives more.
        OutrunTime = TimeSpan.FromMinutes(1),
    };

    public IHypervisor Source { get; private set; } = null!;

    public IHypervisor Target { get; private set; } = null!;

    /// <param name="labels">Of both hosts, over what the way says.</param>
    public static async Task<RigFleet> OpenAsync(FaultRig rig, Way? way = null, IReadOnlyDictionary<string, string>? labels = null, LibvirtOptions? options = null)
    {
        var opened = new RigFleet(rig, options ?? Options);
        await rig.MendAsync();
        foreach (var host in rig.Rig.Hosts)
            HostContents.Remove(host);
        opened.Source = await opened.OpenAsync(rig.First, way ?? Way.Tcp, labels);
        opened.Target = await opened.OpenAsync(rig.Second, way ?? Way.Tcp, labels);
        return opened;
    }

    public static Host HostAt(string name, string uri, IReadOnlyDictionary<string, string>? labels = null) => new(
        new HostId(new Guid(name == "hv1" ? 1 : 2, 0, 0, [0x80, 0, 0, 0, 0, 0, 0, 3])), name, new HostBackend(BackendKind.Libvirt, Uri: uri), HostState.Up, null,
        labels ?? new Dictionary<string, string>(), HostCapacity.Unknown, CpuModel.Unknown, 1, 1, false, null, new Generation(1), null, default, default);

    /// <summary>A guest that boots from the pool's image in a second.</summary>
    public static DomainDefinition Vm(int number, GuestManner manner = GuestManner.Cooperative) => new(
        new DomainRef(new VmId(new Guid(number, 0, 0, [0x80, 0, 0, 0, 0, 0, 0, 4])), new Generation(1)), $"vm-{number}", 1, 64, HugepageSize.None, TinyGuest.NameOf(manner),
        [], [], [], new Dictionary<string, string>());

    public static T Ok<T>(Outcome<T> outcome)
    {
        Assert.True(outcome.Succeeded, outcome.Fault?.ToString());
        return outcome.Value;
    }

    /// <summary>The first answer that is not null, within the deadline.</summary>
    public static Task<T> UntilAsync<T>(Func<Task<T?>> ask, string what) where T : class => UntilAsync(ask, () => what);

    public static async Task<T> UntilAsync<T>(Func<Task<T?>> ask, Func<string> what) where T : class
    {
        var began = TimeProvider.System.GetTimestamp();
        using var again = new PeriodicTimer(PollEvery);
        while (true)
        {
            if (await ask() is { } found)
                return found;
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Deadline, $"not within {Deadline.TotalSeconds:0} s: {what()}");
            await again.WaitForNextTickAsync();
        }
    }

    /// <summary>Defined and running on the source.</summary>
    public async Task<DomainDefinition> BootAsync(DomainDefinition definition)
    {
        Ok(await Source.DefineAsync(definition, CancellationToken.None));
        Ok(await Source.StartAsync(definition.Ref, CancellationToken.None));
        return definition;
    }

    /// <summary>The same, and the guest writes its memory without end: half a MiB again and again.</summary>
    public async Task<DomainDefinition> BootBusyAsync(DomainDefinition definition)
    {
        await BootAsync(definition);
        await FaultRig.UntilWritesAsync(rig.First, NameOf(definition));
        return definition;
    }

    /// <summary>The domain as libvirt has stored it.</summary>
    public Task<string> SourceXmlAsync(DomainDefinition definition) => rig.First.RequireVirshAsync(["dumpxml", "--inactive", NameOf(definition)], CancellationToken.None);

    public static string NameOf(DomainDefinition definition) => $"cp-{definition.Ref.Vm}";

    /// <summary>The target listens, the copy has begun and holds, or the guest went over by itself.</summary>
    public async Task CopyUntilHeldOrOverAsync(DomainDefinition vm, CopyOptions how)
    {
        var incoming = Ok(await Target.Migration.PrepareIncomingAsync(vm, CancellationToken.None));
        Ok(await Source.Migration.BeginCopyAsync(vm.Ref, incoming, how, CancellationToken.None));
        await UntilHeldOrOverAsync(vm);
    }

    /// <summary>The copy holds, or the guest went over by itself: then the switch-over says so.</summary>
    public Task<CopyProgress> UntilHeldOrOverAsync(DomainDefinition vm) => UntilAsync(
        async () => Ok(await Source.Migration.ReadProgressAsync(vm.Ref, CancellationToken.None)) is { Phase: not CopyPhase.Copying } held ? held : null, "the copy holds");

    public async ValueTask DisposeAsync()
    {
        await fleet.DisposeAsync();
        await rig.MendAsync();
        foreach (var host in rig.Rig.Hosts)
            HostContents.Remove(host);
    }

    private async Task<IHypervisor> OpenAsync(LabHost host, Way way, IReadOnlyDictionary<string, string>? labels)
    {
        var all = new Dictionary<string, string>
        {
            ["libvirt-peer-uri"] = way.Peer(host),
            // Machines that run tests often offer a KVM that does not work, and the guests are too small to need one.
            ["libvirt-domain-type"] = "qemu",
        };
        foreach (var (name, value) in labels ?? new Dictionary<string, string>())
            all[name] = value;
        return Ok(await fleet.OpenAsync(HostAt(host.Name, way.Uri(host), all), CancellationToken.None));
    }
}

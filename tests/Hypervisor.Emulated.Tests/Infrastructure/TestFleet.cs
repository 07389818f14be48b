using ControlPlane.Hypervisor.Emulated.Time;
using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Hosts;
using ControlPlane.Hypervisor.Specification;

namespace ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

/// <summary>Two emulated hosts of one capture, in virtual time.</summary>
internal sealed class TestFleet : ISpecificationFleet
{
    private readonly Dictionary<HostId, Dictionary<string, string>> labels = [];
    private readonly string capture;
    private readonly (string Name, string Value)[] atFirst;

    /// <param name="atFirst">Labels that both hosts have from the beginning.</param>
    public TestFleet(string capture = "sriov", EmulationOptions? options = null, VirtualTime? time = null, params (string Name, string Value)[] atFirst)
        : this(Captures.Named(capture), options, time, atFirst)
    {
    }

    public TestFleet(Inventory.Profiles.HostProfile machine, EmulationOptions? options = null, VirtualTime? time = null, params (string Name, string Value)[] atFirst)
    {
        (capture, this.atFirst) = (machine.Name, atFirst);
        Virtual = time ?? new VirtualTime();
        Fleet = new EmulatedFleet(options ?? new EmulationOptions(), (_, _) => ValueTask.FromResult<Inventory.Profiles.HostProfile?>(machine), Virtual);
        Source = Open(1);
        Target = Open(2);
    }

    public EmulatedFleet Fleet { get; }

    public VirtualTime Virtual { get; }

    public IHypervisor Source { get; }

    public IHypervisor Target { get; }

    public TimeProvider Time => Virtual;

    public string ImageFor(GuestManner manner) => "tiny";

    public static EmulatedHost ModelOf(IHypervisor host) => ((EmulatedHypervisor)host).Model;

    public Task RunAsync(Func<Task> test)
    {
        new VirtualTimeLoop(Virtual).Run(test);
        return Task.CompletedTask;
    }

    public PciAddress PhysicalFunction(IHypervisor host) =>
        ModelOf(host).Tree.Functions.First(f => f.Sriov is not null && f.IsNetwork).Address;

    public IReadOnlyDictionary<string, string> LabelsFor(GuestManner manner) => manner switch
    {
        GuestManner.Cooperative => new Dictionary<string, string>(),
        GuestManner.IgnoresUnplug => Label(GuestLabels.Unplug, "ignore"),
        GuestManner.RefusesUnplug => Label(GuestLabels.Unplug, "refuse"),
        GuestManner.SlowToUnplug => Label(GuestLabels.Unplug, "slow:5s"),
        GuestManner.IgnoresShutdown => Label(GuestLabels.Shutdown, "ignore"),
        GuestManner.DirtiesFast => Label(GuestLabels.DirtyMiBPerSecond, "4000"),
        _ => throw new ArgumentOutOfRangeException(nameof(manner)),
    };

    public Task CrashAsync(IHypervisor host)
    {
        Fleet.Crash(host.Host);
        return Task.CompletedTask;
    }

    public Task ReviveAsync(IHypervisor host)
    {
        Fleet.Revive(host.Host);
        return Task.CompletedTask;
    }

    public Task BreakResetAsync(IHypervisor host, PciAddress function)
    {
        SetLabel(host, $"{HostLabels.Reset}.{function}", "fail");
        return Task.CompletedTask;
    }

    public void SetLabel(IHypervisor host, string name, string value)
    {
        labels[host.Host] = new Dictionary<string, string>(labels[host.Host]) { [name] = value };
        Open((int)host.Host.Value.ToByteArray()[0]);
    }

    public IHypervisor Open(int number)
    {
        var id = new HostId(new Guid(number, 0, 0, [0x80, 0, 0, 0, 0, 0, 0, 0]));
        var own = labels.TryGetValue(id, out var known) ? known : labels[id] = atFirst.ToDictionary(l => l.Name, l => l.Value);
        var opened = Fleet.OpenAsync(RecordOf(number, capture, own), CancellationToken.None).AsTask().GetAwaiter().GetResult();
        Assert.True(opened.Succeeded, opened.Fault?.ToString());
        return opened.Value;
    }

    public static Host RecordOf(int number, string capture, Dictionary<string, string> labels) => new(
        new HostId(new Guid(number, 0, 0, [0x80, 0, 0, 0, 0, 0, 0, 0])), $"hv{number}", new HostBackend(BackendKind.Emulated, capture), HostState.Up, null, labels,
        HostCapacity.Unknown, CpuModel.Unknown, 1, 1, false, null, Generation.None, null, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch);

    public ValueTask DisposeAsync()
    {
        Fleet.Dispose();
        return ValueTask.CompletedTask;
    }

    private static Dictionary<string, string> Label(string name, string value) => new() { [name] = value };
}

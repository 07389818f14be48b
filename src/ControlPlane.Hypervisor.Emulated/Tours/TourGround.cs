using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor.Emulated.Time;
using ControlPlane.Inventory.Profiles;

namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>Hosts of a shipped profile in virtual time, and guests on them: what most tours begin with.</summary>
internal sealed class TourGround : IDisposable
{
    private readonly VirtualTime time = new();
    private readonly VirtualTimeLoop loop;
    private readonly EmulatedFleet fleet;
    private readonly string profile;
    private int vms;

    public TourGround(EmulationOptions options, string profile = "dual-82576", int hosts = 2)
    {
        this.profile = profile;
        loop = new VirtualTimeLoop(time);
        fleet = new EmulatedFleet(options, (name, _) => ValueTask.FromResult(ProfileCatalog.Shipped.Find(name)), time);
        Hosts = [.. Enumerable.Range(1, hosts).Select(number => Open(number, profile))];
    }

    public IReadOnlyList<IHypervisor> Hosts { get; }

    public VirtualTime Time => time;

    /// <summary>Does the work in virtual time, until its end. What was begun beside it goes on in the next run.</summary>
    public void Run(Func<Task> work) => loop.Run(work);

    public void Crash(IHypervisor host) => fleet.Crash(host.Host);

    public void Revive(IHypervisor host) => fleet.Revive(host.Host);

    /// <summary>A definition of a guest without devices.</summary>
    public DomainDefinition Guest(long memoryMiB, params (string Name, string Value)[] labels)
    {
        var vm = new VmId(new Guid(++vms, 0, 0, [0x80, 0, 0, 0, 0, 0, 0, 1]));
        return new DomainDefinition(
            new DomainRef(vm, new Generation(1)), $"guest-{vms}", 1, memoryMiB, HugepageSize.None, "tiny", [], [], [],
            labels.ToDictionary(l => l.Name, l => l.Value));
    }

    /// <summary>The value, or the fault as an exception: a tour has nobody to tell it to.</summary>
    public static T Ok<T>(Outcome<T> outcome) => outcome.Match(value => value, fault => throw new InvalidOperationException(fault.ToString()));

    public void Dispose() => fleet.Dispose();

    /// <summary>Gives the host these labels, and no others.</summary>
    public void Label(int number, params (string Name, string Value)[] labels) => Open(number, profile, labels);

    private IHypervisor Open(int number, string profile, params (string Name, string Value)[] labels)
    {
        var id = new HostId(new Guid(number, 0, 0, [0x80, 0, 0, 0, 0, 0, 0, 0]));
        var host = new Host(
            id, $"hv{number}", new HostBackend(BackendKind.Emulated, profile), HostState.Up, null, labels.ToDictionary(l => l.Name, l => l.Value), HostCapacity.Unknown,
            CpuModel.Unknown, 1, 1, false, null, Generation.None, null, time.GetUtcNow(), time.GetUtcNow());
        // Opening reads a profile out of this assembly's neighbours and waits for nobody.
        return Ok(fleet.OpenAsync(host, CancellationToken.None).AsTask().GetAwaiter().GetResult());
    }
}

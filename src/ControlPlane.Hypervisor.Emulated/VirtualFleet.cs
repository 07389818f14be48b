using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor.Emulated.Time;
using ControlPlane.Inventory.Profiles;

namespace ControlPlane.Hypervisor.Emulated;

/// <summary>
/// A fleet by itself, without a control plane: hosts of one hardware profile in virtual time, which passes as fast as one thread computes. Everything
/// that is done with it is done inside <see cref="Run"/>.
/// </summary>
public sealed class VirtualFleet : IDisposable
{
    private readonly VirtualTimeLoop loop;
    private readonly string profile;
    private int guests;

    /// <param name="profile">A profile that ships (<see cref="ProfileCatalog.Shipped"/>), by its name.</param>
    /// <param name="hosts">How many hosts of it; all are on one network.</param>
    /// <param name="options">Seed, timings, links; null: as the defaults are.</param>
    /// <exception cref="ArgumentException">No profile of that name ships.</exception>
    public VirtualFleet(string profile, int hosts, EmulationOptions? options = null)
    {
        if (ProfileCatalog.Shipped.Find(profile) is not { } hardware)
            throw new ArgumentException($"There is no profile '{profile}'; there are: {string.Join(", ", ProfileCatalog.Shipped.Profiles.Select(p => p.Name))}.", nameof(profile));
        this.profile = profile;
        loop = new VirtualTimeLoop(Time);
        Fleet = new EmulatedFleet(options ?? new EmulationOptions(), (_, _) => ValueTask.FromResult<HostProfile?>(hardware), Time);
        Hosts = [.. Enumerable.Range(1, hosts).Select(number => Open(number, []))];
    }

    /// <summary>The hypervisors of the hosts: what can be done with guests and devices.</summary>
    public IReadOnlyList<IHypervisor> Hosts { get; }

    /// <summary>For what goes wrong: hosts that die and come back, calls that fail.</summary>
    public EmulatedFleet Fleet { get; }

    /// <summary>The fleet's clock; it stands still outside of <see cref="Run"/>, unless it is advanced by hand.</summary>
    public VirtualTime Time { get; } = new();

    /// <summary>Does the work in virtual time, until its end. Whenever everybody waits, time jumps. What was begun beside it goes on in the next run.</summary>
    /// <exception cref="InvalidOperationException">The work waits for something that no timer and no other task will bring.</exception>
    public void Run(Func<Task> work) => loop.Run(work);

    /// <summary>Lets time pass; to be awaited inside <see cref="Run"/>.</summary>
    public Task PassAsync(TimeSpan time) => Task.Delay(time, Time);

    /// <summary>A definition of one more guest, without interfaces and devices, for <see cref="IHypervisor.DefineAsync"/>.</summary>
    /// <param name="memoryMiB">Its memory.</param>
    /// <param name="labels">How it behaves: the labels that the README lists.</param>
    public DomainDefinition NewGuest(long memoryMiB, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        var vm = new VmId(new Guid(++guests, 0, 0, [0x80, 0, 0, 0, 0, 0, 0, 1]));
        return new DomainDefinition(
            new DomainRef(vm, new Generation(1)), $"guest-{guests}", 1, memoryMiB, HugepageSize.None, "tiny", [], [], [], Chosen(labels));
    }

    /// <summary>Gives a host these labels, and no others.</summary>
    public void Label(IHypervisor host, params ReadOnlySpan<(string Name, string Value)> labels) => Open(Hosts.ToList().IndexOf(host) + 1, labels);

    /// <inheritdoc/>
    public void Dispose() => Fleet.Dispose();

    private IHypervisor Open(int number, ReadOnlySpan<(string Name, string Value)> labels)
    {
        var id = new HostId(new Guid(number, 0, 0, [0x80, 0, 0, 0, 0, 0, 0, 0]));
        var host = new Host(
            id, $"hv{number}", new HostBackend(BackendKind.Emulated, profile), HostState.Up, null, Chosen(labels), HostCapacity.Unknown,
            CpuModel.Unknown, 1, 1, false, null, Generation.None, null, Time.GetUtcNow(), Time.GetUtcNow());
        // The profile is there already, so that opening waits for nobody.
        return Fleet.OpenAsync(host, CancellationToken.None).AsTask().GetAwaiter().GetResult().Value;
    }

    private static Dictionary<string, string> Chosen(ReadOnlySpan<(string Name, string Value)> labels)
    {
        var chosen = new Dictionary<string, string>();
        foreach (var (name, value) in labels)
            chosen[name] = value;
        return chosen;
    }
}

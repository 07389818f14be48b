using ControlPlane.Domain;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>Hosts of a shipped profile in virtual time, and guests on them: what most tours begin with.</summary>
internal sealed class TourGround(EmulationOptions options, string profile = "dual-82576", int hosts = 2) : IDisposable
{
    private readonly VirtualFleet fleet = new(profile, hosts, options);

    public IReadOnlyList<IHypervisor> Hosts => fleet.Hosts;

    public VirtualTime Time => fleet.Time;

    /// <summary>Does the work in virtual time, until its end. What was begun beside it goes on in the next run.</summary>
    public void Run(Func<Task> work) => fleet.Run(work);

    public void Crash(IHypervisor host) => fleet.Fleet.Crash(host.Host);

    public void Revive(IHypervisor host) => fleet.Fleet.Revive(host.Host);

    /// <summary>A definition of a guest without devices.</summary>
    public DomainDefinition Guest(long memoryMiB, params (string Name, string Value)[] labels) => fleet.NewGuest(memoryMiB, labels);

    /// <summary>The value, or the fault as an exception: a tour has nobody to tell it to.</summary>
    public static T Ok<T>(Outcome<T> outcome) => outcome.Match(value => value, fault => throw new InvalidOperationException(fault.ToString()));

    public void Dispose() => fleet.Dispose();

    /// <summary>Gives the host these labels, and no others.</summary>
    public void Label(int number, params (string Name, string Value)[] labels) => fleet.Label(fleet.Hosts[number - 1], labels);
}

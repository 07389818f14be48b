using ControlPlane.Domain;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Journal;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>The chassis of a fleet, by the name that hosts' labels give them.</summary>
internal sealed class ChassisRegister
{
    private readonly Dictionary<string, Chassis> known = new(StringComparer.Ordinal);
    private readonly ModelClock clock;
    private readonly ChassisJournal? journal;

    public ChassisRegister(ModelClock clock, ChassisJournal? journal)
    {
        (this.clock, this.journal) = (clock, journal);
        foreach (var entry in journal?.Found ?? [])
            Named(entry.Chassis).Restore(entry.Slot, entry.Owner);
    }

    /// <summary>The chassis that the labels put a host into; null: none.</summary>
    public Chassis? Find(HostLabels labels) => labels.Chassis is { } name ? Named(name) : null;

    /// <summary>The host's labels are others now. One that has joined a chassis stays there as long as it exists.</summary>
    public void Follow(EmulatedHost host)
    {
        if (host.Chassis is { } present)
            present.Follow(host);
        else
            Find(host.Labels)?.Join(host);
    }

    public void Forget(HostId host)
    {
        foreach (var chassis in known.Values)
            chassis.Leave(host);
    }

    private Chassis Named(string name) => known.TryGetValue(name, out var present) ? present : known[name] = new Chassis(name, clock, journal);
}

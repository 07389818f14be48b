using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Scheduling.Placements;

namespace ControlPlane.Scheduling;

/// <summary>
/// A reading of the truth that replaces what memory believes, host by host. The truth goes on while it is read: what is said of a host
/// meanwhile is kept and said again of what was read, so nothing is lost and nothing that is gone comes back.
/// </summary>
public sealed class FleetReading : IDisposable
{
    private readonly FleetSnapshot fleet;
    private readonly Dictionary<HostId, List<Action>> said = [];

    internal FleetReading(FleetSnapshot fleet) => this.fleet = fleet;

    /// <summary>The host is exactly as read: what is not named of it, it does not have.</summary>
    /// <param name="devices">All of the host's, present or not.</param>
    /// <param name="held">What VMs hold of the host.</param>
    /// <returns>True when the host was changed while it was read: a later reading leaves no doubt which of the two was the newer.</returns>
    public bool Replace(Host host, IReadOnlyCollection<PciDevice> devices, IEnumerable<VmAllocation> held) => fleet.Replace(this, host, devices, held);

    /// <summary>There are no other hosts than these.</summary>
    public void Retain(IReadOnlySet<HostId> read) => fleet.Retain(this, read);

    public void Dispose() => fleet.End(this);

    internal void Hear(HostId host, Action again)
    {
        if (!said.TryGetValue(host, out var ofHost))
            said[host] = ofHost = [];
        ofHost.Add(again);
    }

    internal IReadOnlyList<Action> SaidOf(HostId host) => said.TryGetValue(host, out var ofHost) ? ofHost : [];
}

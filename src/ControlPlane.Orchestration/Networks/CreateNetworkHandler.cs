using ControlPlane.Domain;
using ControlPlane.Domain.Networks;
using ControlPlane.Persistence.Networks;

namespace ControlPlane.Orchestration.Networks;

/// <summary>Makes a network. A name that is taken is a conflict, decided by the database.</summary>
public sealed class CreateNetworkHandler(NetworkStore networks, RecordedChange change, FleetDirectory fleet, IIdSource ids, TimeProvider clock)
{
    public async Task<Outcome<Network>> HandleAsync(CreateNetwork command, CancellationToken ct)
    {
        var draft = command.Draft;
        if (NetworkDrafts.Check(draft) is { } wrong)
            return wrong;
        var now = clock.GetUtcNow();
        var network = new Network(
            NetworkId.From(ids.Next()), draft.Name!, draft.PhysicalNetwork, (int?)draft.Vlan, (int?)draft.Mtu, Generation.None.Next(), now, now);
        var committed = await change.CommitAsync(
            network, unit => networks.Insert(unit, network), RecordedEvent.Of("network", "created", "networks", network.Id.Value, network.Name), ct);
        if (!committed.Succeeded)
            return committed;
        fleet.Set(network);
        return committed;
    }
}

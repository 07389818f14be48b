using ControlPlane.Domain;
using ControlPlane.Domain.Networks;
using ControlPlane.Persistence.Networks;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.VirtualMachines;

namespace ControlPlane.Orchestration.Networks;

/// <summary>
/// Changes a network. While an interface is on it, it stays as it is: its functions carry the VLAN, and a change behind their back would
/// show only at the next plug.
/// </summary>
public sealed class ReplaceNetworkHandler(NetworkStore networks, VmStore vms, RecordedChange change, FleetDirectory fleet, TimeProvider clock)
{
    public Task<Outcome<Network>> HandleAsync(ReplaceNetwork command, CancellationToken ct) =>
        change.RetryAsync(command.Expected, () => ReplaceAsync(command, ct));

    private async Task<Outcome<Network>> ReplaceAsync(ReplaceNetwork command, CancellationToken ct)
    {
        var draft = command.Draft;
        if (NetworkDrafts.Check(draft) is { } wrong)
            return wrong;
        if (await networks.FindAsync(command.Network, ct) is not { } present)
            return Fault.NotFound("network", command.Network.ToString());
        if (RecordedChange.Stale(command.Expected, present.Generation) is { } stale)
            return stale;
        if (draft.Name != present.Name)
            return Fault.Field(FaultKind.Impossible, "name", $"is '{present.Name}' for the network's life.");
        var wanted = present with { PhysicalNetwork = draft.PhysicalNetwork, Vlan = (int?)draft.Vlan, Mtu = (int?)draft.Mtu };
        if (wanted == present)
            return present;
        var users = await vms.ListAsync(new VmFilter(Network: present.Id), new PageRequest(1), ct);
        if (users.Succeeded && users.Value.Items is [var user, ..])
            return Fault.Conflict("in-use", $"The VM '{user.Name}' has an interface on the network '{present.Name}'.");

        wanted = wanted with { Generation = present.Generation.Next(), UpdatedAt = clock.GetUtcNow() };
        var committed = await change.CommitAsync(
            unit => networks.Update(unit, wanted, present.Generation),
            RecordedEvent.Of("network", "changed", "networks", wanted.Id.Value, wanted.Name), ct);
        if (!committed.Succeeded)
            return committed.Fault;
        fleet.Set(wanted);
        return wanted;
    }
}

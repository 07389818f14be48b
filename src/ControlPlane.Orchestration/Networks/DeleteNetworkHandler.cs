using ControlPlane.Domain;
using ControlPlane.Persistence.Networks;

namespace ControlPlane.Orchestration.Networks;

/// <summary>Deletes a network. The database refuses while an interface is on it.</summary>
public sealed class DeleteNetworkHandler(NetworkStore networks, RecordedChange change, FleetDirectory fleet)
{
    public Task<Outcome<Done>> HandleAsync(DeleteNetwork command, CancellationToken ct) =>
        change.RetryAsync(command.Expected, () => DeleteAsync(command, ct));

    private async Task<Outcome<Done>> DeleteAsync(DeleteNetwork command, CancellationToken ct)
    {
        if (await networks.FindAsync(command.Network, ct) is not { } present)
            return Fault.NotFound("network", command.Network.ToString());
        if (RecordedChange.Stale(command.Expected, present.Generation) is { } stale)
            return stale;
        var committed = await change.CommitAsync(
            unit => networks.Delete(unit, present.Id, present.Generation),
            RecordedEvent.Of("network", "deleted", "networks", present.Id.Value, present.Name), ct);
        if (committed.Succeeded)
            fleet.Remove(present.Id);
        return committed;
    }
}

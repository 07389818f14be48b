using ControlPlane.Domain;
using ControlPlane.Persistence.Pci;
using ControlPlane.Scheduling;

namespace ControlPlane.Orchestration.DevicePools;

/// <summary>Deletes a pool. The database refuses while a VM holds a device of it.</summary>
public sealed class DeleteDevicePoolHandler(DevicePoolStore pools, RecordedChange change, FleetDirectory fleet, FleetSnapshot snapshot)
{
    public Task<Outcome<Done>> HandleAsync(DeleteDevicePool command, CancellationToken ct) =>
        change.RetryAsync(command.Expected, () => DeleteAsync(command, ct));

    private async Task<Outcome<Done>> DeleteAsync(DeleteDevicePool command, CancellationToken ct)
    {
        if (await pools.FindAsync(command.Pool, ct) is not { } present)
            return Fault.NotFound("device-pool", command.Pool.ToString());
        if (RecordedChange.Stale(command.Expected, present.Generation) is { } stale)
            return stale;
        var committed = await change.CommitAsync(
            unit => pools.Delete(unit, present.Id, present.Generation),
            RecordedEvent.Of("device-pool", "deleted", "device-pools", present.Id.Value, present.Name), ct);
        if (!committed.Succeeded)
            return committed;
        fleet.Remove(present.Id);
        snapshot.SetPools(() => [.. fleet.Pools]);
        return new Done();
    }
}

using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Persistence.Pci;
using ControlPlane.Scheduling;

namespace ControlPlane.Orchestration.DevicePools;

/// <summary>Makes a pool. It may match nothing yet: hosts come later.</summary>
public sealed class CreateDevicePoolHandler(
    DevicePoolStore pools, PoolDraftResolver resolver, RecordedChange change, FleetDirectory fleet, FleetSnapshot snapshot, IIdSource ids, TimeProvider clock)
{
    public async Task<Outcome<DevicePool>> HandleAsync(CreateDevicePool command, CancellationToken ct)
    {
        if (!resolver.Resolve(command.Draft).TryGet(out var draft, out var wrong))
            return wrong;
        var now = clock.GetUtcNow();
        var pool = new DevicePool(
            PoolId.From(ids.Next()), draft.Name, command.Draft.Kind, draft.Match, draft.PhysicalNetwork, Generation.None.Next(), now, now);
        var committed = await change.CommitAsync(
            pool, unit => pools.Insert(unit, pool), RecordedEvent.Of("device-pool", "created", "device-pools", pool.Id.Value, pool.Name), ct);
        if (!committed.Succeeded)
            return committed;
        fleet.Set(pool);
        snapshot.SetPools(() => [.. fleet.Pools]);
        return committed;
    }
}

using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Persistence.Pci;
using ControlPlane.Scheduling;

namespace ControlPlane.Orchestration.DevicePools;

/// <summary>Changes what a pool matches. Devices that VMs hold by it stay theirs; only what is handed out next follows the new match.</summary>
public sealed class ReplaceDevicePoolHandler(
    DevicePoolStore pools, PoolDraftResolver resolver, RecordedChange change, FleetDirectory fleet, FleetSnapshot snapshot, TimeProvider clock)
{
    public Task<Outcome<DevicePool>> HandleAsync(ReplaceDevicePool command, CancellationToken ct) =>
        change.RetryAsync(command.Expected, () => ReplaceAsync(command, ct));

    private async Task<Outcome<DevicePool>> ReplaceAsync(ReplaceDevicePool command, CancellationToken ct)
    {
        if (!resolver.Resolve(command.Draft).TryGet(out var draft, out var wrong))
            return wrong;
        if (await pools.FindAsync(command.Pool, ct) is not { } present)
            return Fault.NotFound("device-pool", command.Pool.ToString());
        if (RecordedChange.Stale(command.Expected, present.Generation) is { } stale)
            return stale;
        if (draft.Name != present.Name)
            return Fault.Field(FaultKind.Impossible, "name", $"is '{present.Name}' for the pool's life.");
        if (command.Draft.Kind != present.Kind)
            return Fault.Field(FaultKind.Impossible, "kind", "stays as it was made; make another pool.");

        var wanted = present with
        {
            Match = draft.Match, PhysicalNetwork = draft.PhysicalNetwork, Generation = present.Generation.Next(), UpdatedAt = clock.GetUtcNow(),
        };
        var committed = await change.CommitAsync(
            unit => pools.Update(unit, wanted, present.Generation),
            RecordedEvent.Of("device-pool", "changed", "device-pools", wanted.Id.Value, wanted.Name), ct);
        if (!committed.Succeeded)
            return committed.Fault;
        fleet.Set(wanted);
        snapshot.SetPools(() => [.. fleet.Pools]);
        return wanted;
    }
}

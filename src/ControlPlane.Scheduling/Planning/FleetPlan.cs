using ControlPlane.Domain;
using ControlPlane.Scheduling.Explanation;
using ControlPlane.Scheduling.Placements;

namespace ControlPlane.Scheduling.Planning;

/// <summary>A VM that has to leave its host.</summary>
/// <param name="Request">As for a migration (<see cref="PlacementRequest.ForMigration"/>); for a lost host, as for a create.</param>
/// <param name="MustStop">Why it cannot move while it runs (a device whose method is <c>refuse</c>, a paused guest…); null: it can.</param>
/// <param name="Standby">Demands that the VM can do without for a while: interfaces with a virtio standby.</param>
public sealed record PlanCandidate(VmId Vm, string Name, PlacementRequest Request, string? MustStop = null, IReadOnlyCollection<string>? Standby = null);

/// <param name="LostDevices">Demands that the target cannot serve; the VM runs on without them. Empty unless device loss was allowed.</param>
public sealed record PlannedMove(VmId Vm, string Name, Placement Target, IReadOnlyList<string> LostDevices);

/// <summary>A VM that can leave only by being stopped.</summary>
/// <param name="RestartOn">Where it could be started again; null: nowhere now.</param>
public sealed record PlannedStop(VmId Vm, string Name, string Reason, Placement? RestartOn);

/// <param name="Explanation">Why each host refuses it; null where placement is not what keeps it.</param>
public sealed record UnplaceableVm(VmId Vm, string Name, string Reason, PlacementExplanation? Explanation);

/// <summary>
/// The answer to a what-if question: what happens to each VM. The moves have been reserved one after the other in a copy of the
/// snapshot, so they fit together; each is a valid <see cref="Placement"/> until the fleet changes.
/// </summary>
public sealed record FleetPlan(
    HostId Host, IReadOnlyList<PlannedMove> Moves, IReadOnlyList<PlannedStop> Stops, IReadOnlyList<UnplaceableVm> Unplaceable)
{
    public bool IsComplete => Unplaceable.Count == 0;
}

using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Scheduling.Explanation;
using ControlPlane.Scheduling.Placements;
using ControlPlane.Scheduling.Planning;

namespace ControlPlane.Scheduling;

/// <summary>
/// The fleet in memory, kept current by change events, and the decisions made on it. Every method may be called from any thread: one
/// lock guards the arrays, held for microseconds by an event and by a decision; explanations and plans copy what they need under it and
/// work outside. Events are idempotent, and an ownership older than the one known is ignored, so that a late event undoes nothing.
/// </summary>
public sealed class FleetSnapshot(SchedulingOptions? options = null)
{
    internal SchedulingOptions Options { get; } = options ?? SchedulingOptions.Default;

    /// <summary>A host is new or has changed in any way: state, cordon, labels, capacity, CPU, ratios.</summary>
    public void UpsertHost(Host host) => throw new NotSupportedException();

    /// <summary>The host, its devices and its allocations are gone.</summary>
    public void RemoveHost(HostId host) => throw new NotSupportedException();

    /// <summary>Devices of a host are new or have changed. Rows that are not named stay as they are; a function that went away comes with Present = false.</summary>
    public void UpsertDevices(HostId host, IReadOnlyCollection<PciDevice> devices) => throw new NotSupportedException();

    /// <summary>Only the ownership of one device has changed: the cheap form of <see cref="UpsertDevices"/>.</summary>
    public void SetOwnership(HostId host, PciAddress address, DeviceOwnership ownership) => throw new NotSupportedException();

    /// <summary>All pools there are; replaces those known before.</summary>
    public void SetPools(IReadOnlyCollection<DevicePool> pools) => throw new NotSupportedException();

    /// <summary>A VM holds so much of a host. Replaces what it held there before.</summary>
    public void UpsertAllocation(VmAllocation allocation) => throw new NotSupportedException();

    /// <summary>A VM holds nothing of the host any more (its devices come and go with their own events).</summary>
    public void RemoveAllocation(VmId vm, HostId host) => throw new NotSupportedException();

    /// <summary>Where the VM would go now; null: nowhere. Takes nothing.</summary>
    public Placement? Place(PlacementRequest request) => throw new NotSupportedException();

    /// <summary>
    /// Decides and takes at once, so that creates that race in this server never choose the same device. Commit the claims next; when
    /// that fails, <see cref="Release"/> and decide again.
    /// </summary>
    /// <returns>The placement, or a <see cref="FaultKind.NoPlacement"/> whose extension is the <see cref="PlacementExplanation"/>.</returns>
    public Outcome<Placement> Reserve(PlacementRequest request) => throw new NotSupportedException();

    /// <summary>Takes what a placement claims (one of a plan, or of another server's answer) without deciding again.</summary>
    public void Apply(Placement placement) => throw new NotSupportedException();

    /// <summary>Gives a placement's claims back, unless an event has meanwhile said otherwise of them.</summary>
    public void Release(Placement placement) => throw new NotSupportedException();

    /// <summary>Where the VM would go, and for each host why not.</summary>
    public PlacementExplanation Explain(PlacementRequest request) => throw new NotSupportedException();

    /// <summary>What would happen to these VMs if their host were drained.</summary>
    /// <param name="allowDeviceLoss">A VM may go where not all of its devices can be served; what it would lose is said.</param>
    public FleetPlan PlanDrain(HostId host, IReadOnlyList<PlanCandidate> vms, bool allowDeviceLoss) => throw new NotSupportedException();

    /// <summary>What would happen to these VMs if their host were lost: they start again elsewhere, with devices of the same pools.</summary>
    public FleetPlan PlanHostLoss(HostId host, IReadOnlyList<PlanCandidate> vms) => throw new NotSupportedException();

    /// <summary>
    /// Which of these VMs have to leave so that a physical function can have <paramref name="count"/> virtual functions: those that hold
    /// one of the functions that would vanish.
    /// </summary>
    public FleetPlan PlanVirtualFunctionCount(HostId host, PciAddress physicalFunction, int count, IReadOnlyList<PlanCandidate> vms) =>
        throw new NotSupportedException();
}

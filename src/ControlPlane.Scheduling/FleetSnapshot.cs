using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Scheduling.Engine;
using ControlPlane.Scheduling.Explanation;
using ControlPlane.Scheduling.Placements;
using ControlPlane.Scheduling.Planning;
using ControlPlane.Scheduling.Snapshot;

namespace ControlPlane.Scheduling;

/// <summary>
/// The fleet in memory, kept current by change events, and the decisions made on it. Every method may be called from any thread: one
/// lock guards the arrays, held for microseconds by an event and by a decision; explanations and plans copy what they need under it and
/// work outside. Events are idempotent, and an ownership older than the one known is ignored, so that a late event undoes nothing.
/// A host's own event has to come before those of its devices; what is said of an unknown host's devices is dropped.
/// </summary>
public sealed class FleetSnapshot(SchedulingOptions? options = null)
{
    /// <summary>A fleet that changes between a decision and its explanation is asked again; more often than this it is not.</summary>
    private const int MaxDecisions = 3;

    private readonly SchedulingOptions options = options ?? SchedulingOptions.Default;
    private readonly Lock gate = new();
    private readonly FleetState fleet = new();
    private readonly PlacementEngine engine = new(options ?? SchedulingOptions.Default);
    private readonly AllocationBook allocations = new();

    /// <summary>A host is new or has changed in any way: state, cordon, labels, capacity, CPU, ratios.</summary>
    public void UpsertHost(Host host)
    {
        lock (gate)
        {
            var isNew = !fleet.IndexOf.ContainsKey(host.Id);
            var sameCells = fleet.UpsertHost(host);
            if (isNew)
                allocations.CountWaiting(fleet, host.Id);
            else if (!sameCells)
                allocations.RecountCells(fleet, host.Id);
        }
    }

    /// <summary>The host, its devices and its allocations are gone.</summary>
    public void RemoveHost(HostId host)
    {
        lock (gate)
        {
            if (!fleet.IndexOf.TryGetValue(host, out var index))
                return;
            allocations.RemoveHost(fleet, host);
            fleet.RemoveSlot(index);
        }
    }

    /// <summary>Devices of a host are new or have changed. Rows that are not named stay as they are; a function that went away comes with Present = false.</summary>
    public void UpsertDevices(HostId host, IReadOnlyCollection<PciDevice> devices)
    {
        lock (gate)
        {
            if (fleet.IndexOf.TryGetValue(host, out var index))
                fleet.UpsertDevices(index, devices);
        }
    }

    /// <summary>Only the ownership of one device has changed: the cheap form of <see cref="UpsertDevices"/>.</summary>
    public void SetOwnership(HostId host, PciAddress address, DeviceOwnership ownership)
    {
        lock (gate)
        {
            if (fleet.IndexOf.TryGetValue(host, out var index))
                fleet.SetOwnership(index, address, ownership);
        }
    }

    /// <summary>All pools there are; replaces those known before.</summary>
    public void SetPools(IReadOnlyCollection<DevicePool> pools)
    {
        lock (gate)
            fleet.SetPools(pools);
    }

    /// <summary>A VM holds so much of a host. Replaces what it held there before.</summary>
    public void UpsertAllocation(VmAllocation allocation)
    {
        lock (gate)
            allocations.Upsert(fleet, allocation);
    }

    /// <summary>A VM holds nothing of the host any more (its devices come and go with their own events).</summary>
    public void RemoveAllocation(VmId vm, HostId host)
    {
        lock (gate)
            allocations.Remove(fleet, vm, host);
    }

    /// <summary>Where the VM would go now; null: nowhere. Takes nothing.</summary>
    public Placement? Place(PlacementRequest request)
    {
        lock (gate)
            return engine.Decide(fleet, request);
    }

    /// <summary>
    /// Decides and takes at once, so that creates that race in this server never choose the same device. Commit the claims next; when
    /// that fails, <see cref="Release"/> and decide again.
    /// </summary>
    /// <returns>The placement, or a <see cref="FaultKind.NoPlacement"/> whose extension is the <see cref="PlacementExplanation"/>.</returns>
    public Outcome<Placement> Reserve(PlacementRequest request)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (TryReserve(request) is { } placement)
                return placement;
            var explanation = Explain(request);
            if (explanation.Chosen is null || attempt == MaxDecisions)
                return new Fault(FaultKind.NoPlacement, "no-placement", explanation.Summary) { Extension = explanation };
        }
    }

    /// <summary>Takes what a placement claims (one of a plan, or of another server's answer) without deciding again.</summary>
    public void Apply(Placement placement)
    {
        lock (gate)
            Take(placement);
    }

    /// <summary>Gives a placement's claims back, unless an event has meanwhile said otherwise of them.</summary>
    public void Release(Placement placement)
    {
        lock (gate)
        {
            fleet.ReturnDevices(placement);
            if (placement.Purpose != PlacementPurpose.HotPlug)
                allocations.Remove(fleet, placement.Vm, placement.Host);
        }
    }

    /// <summary>Where the VM would go, and for each host why not.</summary>
    public PlacementExplanation Explain(PlacementRequest request) => new Explainer(options).Explain(Fork(), request);

    /// <summary>What would happen to these VMs if their host were drained.</summary>
    /// <param name="allowDeviceLoss">A VM may go where a function with a standby cannot be served; what it would lose is said.</param>
    public FleetPlan PlanDrain(HostId host, IReadOnlyList<PlanCandidate> vms, bool allowDeviceLoss) =>
        new FleetPlanner(options).Plan(Fork(), host, vms, live: true, allowDeviceLoss);

    /// <summary>What would happen to these VMs if their host were lost: they start again elsewhere, with devices of the same pools.</summary>
    public FleetPlan PlanHostLoss(HostId host, IReadOnlyList<PlanCandidate> vms) =>
        new FleetPlanner(options).Plan(Fork(), host, vms, live: false, allowDeviceLoss: false);

    /// <summary>
    /// Which of these VMs have to leave so that a physical function can have <paramref name="count"/> virtual functions: those that hold
    /// one of the functions that would vanish.
    /// </summary>
    public FleetPlan PlanVirtualFunctionCount(HostId host, PciAddress physicalFunction, int count, IReadOnlyList<PlanCandidate> vms)
    {
        var fork = Fork();
        var owners = fork.IndexOf.TryGetValue(host, out var index)
            ? VirtualFunctions.OwnersBeyond(fork.Blocks[index]!.Devices, physicalFunction, count)
            : [];
        return new FleetPlanner(options).Plan(fork, host, vms.Where(vm => owners.Contains(vm.Vm)), live: true, allowDeviceLoss: false);
    }

    private Placement? TryReserve(PlacementRequest request)
    {
        lock (gate)
        {
            var placement = engine.Decide(fleet, request);
            if (placement is not null)
                Take(placement);
            return placement;
        }
    }

    private void Take(Placement placement)
    {
        fleet.TakeDevices(placement);
        if (placement.Purpose != PlacementPurpose.HotPlug)
            allocations.Upsert(fleet, AllocationBook.Of(placement));
    }

    private FleetState Fork()
    {
        lock (gate)
            return fleet.Fork();
    }
}

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

    /// <summary>Reserved, and neither confirmed nor released: no reading of the truth shows them yet, and none may take them away.</summary>
    private readonly HashSet<Placement> pending = new(ReferenceEqualityComparer.Instance);
    private readonly List<FleetReading> readings = [];

    /// <summary>A host is new or has changed in any way: state, cordon, labels, capacity, CPU, ratios.</summary>
    public void UpsertHost(Host host)
    {
        Say(host.Id, () =>
        {
            var isNew = !fleet.IndexOf.TryGetValue(host.Id, out var index);
            if (!isNew && fleet.Blocks[index]!.Host.Generation > host.Generation)
                return;
            var sameCells = fleet.UpsertHost(host);
            if (isNew)
                allocations.CountWaiting(fleet, host.Id);
            else if (!sameCells)
                allocations.RecountCells(fleet, host.Id);
        });
    }

    /// <summary>The host, its devices and its allocations are gone.</summary>
    public void RemoveHost(HostId host)
    {
        Say(host, () => Forget(host));
    }

    /// <summary>Devices of a host are new or have changed. Rows that are not named stay as they are; a function that went away comes with Present = false.</summary>
    public void UpsertDevices(HostId host, IReadOnlyCollection<PciDevice> devices)
    {
        Say(host, () =>
        {
            if (fleet.IndexOf.TryGetValue(host, out var index))
                fleet.UpsertDevices(index, devices);
        });
    }

    /// <summary>Only the ownership of one device has changed: the cheap form of <see cref="UpsertDevices"/>.</summary>
    public void SetOwnership(HostId host, PciAddress address, DeviceOwnership ownership)
    {
        Say(host, () =>
        {
            if (fleet.IndexOf.TryGetValue(host, out var index))
                fleet.SetOwnership(index, address, ownership);
        });
    }

    /// <summary>The host has bound the function to another driver.</summary>
    public void SetDriver(HostId host, PciAddress address, string? driver) => Say(host, () =>
    {
        if (fleet.IndexOf.TryGetValue(host, out var index))
            fleet.SetDriver(index, address, driver);
    });

    /// <summary>All pools there are; replaces those known before.</summary>
    public void SetPools(IReadOnlyCollection<DevicePool> pools) => SetPools(() => pools);

    /// <summary>The same for callers that race: the pools are asked for in the order in which they take effect, so the last one knows all.</summary>
    public void SetPools(Func<IReadOnlyCollection<DevicePool>> pools)
    {
        lock (gate)
            fleet.SetPools(pools());
    }

    /// <summary>A VM holds so much of a host. Replaces what it held there before.</summary>
    public void UpsertAllocation(VmAllocation allocation)
    {
        Say(allocation.Host, () => allocations.Upsert(fleet, allocation));
    }

    /// <summary>A VM holds nothing of the host any more (its devices come and go with their own events).</summary>
    public void RemoveAllocation(VmId vm, HostId host)
    {
        Say(host, () => allocations.Remove(fleet, vm, host));
    }

    /// <summary>Where the VM would go now; null: nowhere. Takes nothing.</summary>
    public Placement? Place(PlacementRequest request)
    {
        lock (gate)
            return engine.Decide(fleet, request);
    }

    /// <summary>
    /// Decides and takes at once, so that creates that race in this server never choose the same device. Commit the claims next; when
    /// that fails, <see cref="Release"/> and decide again; when it is done, <see cref="Confirm"/>.
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
            pending.Remove(placement);
            fleet.ReturnDevices(placement);
            if (placement.Purpose != PlacementPurpose.HotPlug)
                allocations.Remove(fleet, placement.Vm, placement.Host);
        }
    }

    /// <summary>The claims of a reservation are committed: from now on it is part of the truth.</summary>
    public void Confirm(Placement placement)
    {
        lock (gate)
        {
            pending.Remove(placement);
            foreach (var reading in readings)
                reading.Hear(placement.Host, () => Take(placement));
        }
    }

    /// <summary>Say it before the truth is read: whatever is said of hosts from then on is not lost, however old the reading is when it comes.</summary>
    public FleetReading BeginReading()
    {
        var reading = new FleetReading(this);
        lock (gate)
            readings.Add(reading);
        return reading;
    }

    /// <summary>All that is believed of the fleet, a line for each fact, in an order of its own: two that believe the same say the same.</summary>
    public IReadOnlyList<string> Describe()
    {
        lock (gate)
            return FleetDescription.Of(fleet, allocations);
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

    /// <summary>Puts what was read of a host in the place of all that was known, and says again what was said since the reading began.</summary>
    /// <returns>Whether anything was said meanwhile.</returns>
    internal bool Replace(FleetReading reading, Host host, IReadOnlyCollection<PciDevice> devices, IEnumerable<VmAllocation> held)
    {
        lock (gate)
        {
            allocations.RemoveHost(fleet, host.Id);
            if (fleet.IndexOf.TryGetValue(host.Id, out var known))
                fleet.Own(known).Devices = DeviceTable.None;
            fleet.UpsertHost(host);
            fleet.UpsertDevices(fleet.IndexOf[host.Id], devices);
            foreach (var allocation in held)
                allocations.Upsert(fleet, allocation);
            var said = reading.SaidOf(host.Id);
            foreach (var again in said)
                again();
            foreach (var placement in pending.Where(p => p.Host == host.Id))
                TakeAgain(placement);
            return said.Count > 0;
        }
    }

    /// <summary>Forgets the hosts that a reading did not show, but those of which something was said since it began.</summary>
    internal void Retain(FleetReading reading, IReadOnlySet<HostId> read)
    {
        lock (gate)
        {
            foreach (var gone in fleet.IndexOf.Keys.Where(h => !read.Contains(h) && reading.SaidOf(h).Count == 0).ToArray())
                Forget(gone);
        }
    }

    internal void End(FleetReading reading)
    {
        lock (gate)
            readings.Remove(reading);
    }

    private void Say(HostId host, Action change)
    {
        lock (gate)
        {
            foreach (var reading in readings)
                reading.Hear(host, change);
            change();
        }
    }

    private void Forget(HostId host)
    {
        allocations.RemoveHost(fleet, host);
        if (fleet.IndexOf.TryGetValue(host, out var index))
            fleet.RemoveSlot(index);
    }

    /// <summary>A device that the truth has moved on from is not taken: the commit under way will be refused.</summary>
    private void TakeAgain(Placement placement)
    {
        if (!fleet.IndexOf.TryGetValue(placement.Host, out var host))
            return;
        foreach (var claim in placement.Claims)
        {
            var index = fleet.Blocks[host]!.Devices.Find(claim.Address);
            if (index >= 0 && fleet.Blocks[host]!.Devices.Rows[index].Generation < claim.Reserved)
                fleet.SetOwnership(host, claim.Address, new DeviceOwnership(DeviceState.Reserved, claim.Owner, claim.Reserved));
        }
        if (placement.Purpose != PlacementPurpose.HotPlug)
            allocations.Upsert(fleet, AllocationBook.Of(placement));
    }

    private Placement? TryReserve(PlacementRequest request)
    {
        lock (gate)
        {
            var placement = engine.Decide(fleet, request);
            if (placement is null)
                return null;
            Take(placement);
            pending.Add(placement);
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

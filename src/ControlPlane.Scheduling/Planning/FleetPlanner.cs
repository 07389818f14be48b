using ControlPlane.Domain;
using ControlPlane.Scheduling.Engine;
using ControlPlane.Scheduling.Explanation;
using ControlPlane.Scheduling.Placements;
using ControlPlane.Scheduling.Snapshot;

namespace ControlPlane.Scheduling.Planning;

/// <summary>
/// Answers what-if questions by deciding for one VM after the other in a fork of the fleet and taking each answer there, so that two
/// VMs are never promised one device. Those that are hardest to place go first.
/// </summary>
internal sealed class FleetPlanner(SchedulingOptions options)
{
    private readonly PlacementEngine engine = new(options);

    /// <param name="fleet">A fork of its own.</param>
    /// <param name="live">The VMs keep running; otherwise they start again on their new hosts.</param>
    public FleetPlan Plan(FleetState fleet, HostId leaving, IEnumerable<PlanCandidate> vms, bool live, bool allowDeviceLoss)
    {
        var moves = new List<PlannedMove>();
        var stops = new List<PlannedStop>();
        var unplaceable = new List<UnplaceableVm>();
        foreach (var vm in InOrder(vms))
        {
            var request = Away(vm.Request, leaving);
            if (live && vm.MustStop is { } reason)
                stops.Add(new PlannedStop(vm.Vm, vm.Name, reason, Take(fleet, Cold(request))));
            else if (Take(fleet, live ? request : Cold(request)) is { } target)
                moves.Add(new PlannedMove(vm.Vm, vm.Name, target, []));
            else if (allowDeviceLoss && MoveWithLoss(fleet, vm, request) is { } move)
                moves.Add(move);
            else
                Strand(fleet, vm, request, live, stops, unplaceable);
        }
        return new FleetPlan(leaving, moves, stops, unplaceable);
    }

    /// <summary>Most devices first, then most memory: the small ones find room between.</summary>
    private static IEnumerable<PlanCandidate> InOrder(IEnumerable<PlanCandidate> vms) => vms
        .OrderByDescending(v => v.Request.Devices.Count).ThenByDescending(v => v.Request.Share.MemoryMiB)
        .ThenByDescending(v => v.Request.Share.Vcpus).ThenBy(v => v.Vm.Value);

    /// <summary>A pin to the host that it leaves no longer holds.</summary>
    private static PlacementRequest Away(PlacementRequest request, HostId leaving) => request with
    {
        ExcludeHosts = [.. request.ExcludeHosts.Append(leaving).Distinct()],
        OnlyHosts = request.OnlyHosts?.Where(h => h != leaving).ToArray() is { Length: > 0 } others ? others : null,
    };

    /// <summary>Of a VM that starts anew: any CPU, and any device of the pools.</summary>
    private static PlacementRequest Cold(PlacementRequest request) => request with
    {
        Purpose = PlacementPurpose.Create,
        SourceCpu = null,
        Devices = [.. request.Devices.Select(d => d with { AlikeTo = null })],
    };

    private Placement? Take(FleetState fleet, PlacementRequest request)
    {
        var placement = engine.Decide(fleet, request);
        if (placement is not null)
        {
            fleet.TakeDevices(placement);
            fleet.Count(new VmAllocation(placement.Vm, placement.Project, placement.Host, placement.Share, placement.Cells, placement.Group), +1);
        }
        return placement;
    }

    /// <summary>Gives up as few standby interfaces' functions as it must, the last ones first; then the other devices stay as asked.</summary>
    private PlannedMove? MoveWithLoss(FleetState fleet, PlanCandidate vm, PlacementRequest request)
    {
        var expendable = request.Devices.Select(d => d.Name).Where(n => vm.Standby?.Contains(n) == true).ToArray();
        for (var lost = 1; lost <= expendable.Length; lost++)
        {
            var without = expendable[^lost..];
            var target = Take(fleet, request with { Devices = [.. request.Devices.Where(d => !without.Contains(d.Name))] });
            if (target is not null)
                return new PlannedMove(vm.Vm, vm.Name, target, without);
        }
        return null;
    }

    private void Strand(
        FleetState fleet, PlanCandidate vm, PlacementRequest request, bool live, List<PlannedStop> stops, List<UnplaceableVm> unplaceable)
    {
        if (live && Take(fleet, Cold(request)) is { } restart)
        {
            stops.Add(new PlannedStop(vm.Vm, vm.Name, "No host has the CPU features and equivalent devices that the running guest needs.", restart));
            return;
        }
        var explanation = new Explainer(options).Explain(fleet.Fork(), live ? request : Cold(request));
        unplaceable.Add(new UnplaceableVm(vm.Vm, vm.Name, explanation.Summary, explanation));
    }
}

using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Scheduling.Engine;
using ControlPlane.Scheduling.Filters;
using ControlPlane.Scheduling.Matching;
using ControlPlane.Scheduling.Snapshot;

namespace ControlPlane.Scheduling.Explanation;

/// <summary>Which constraints a host fails: all of them, not only the first, and exactly, where a placement's scan only counts.</summary>
internal sealed class HostExaminer
{
    private readonly HostFitter fitter = new();
    private readonly HostFit fit = new();

    /// <summary>Filters that fail, in the order of <see cref="PlacementEngine.Filters"/>; empty exactly when the VM would fit.</summary>
    public List<IHostFilter> Failing(FleetState fleet, int host, CompiledRequest request)
    {
        var failing = new List<IHostFilter>();
        var filters = PlacementEngine.Filters;
        for (var i = 0; i < filters.Count; i++)
        {
            // A host without room has no cell with room either: said once.
            var fails = filters[i] switch
            {
                DeviceFilter filter => !filter.Keeps(fleet, host, request) || HostFitter.MostMatched(fleet, host, request) < request.ClassOfDemand.Length,
                NumaFilter filter => Shares.HostHolds(fleet, host, request.Request.Share) && !filter.Keeps(fleet, host, request),
                var filter => !filter.Keeps(fleet, host, request),
            };
            if (fails)
                failing.Add(filters[i]);
        }
        var mayMissNode = request.Request.NumaPolicy == NumaPolicy.Required && !failing.Any(f => f is NumaFilter or DeviceFilter or CapacityFilter);
        if (mayMissNode && !fitter.TryFit(fleet, host, request, fit))
            failing.Add(filters.First(f => f is NumaFilter));
        return failing;
    }

    public static FailedConstraint Describe(FleetState fleet, int host, CompiledRequest request, IHostFilter filter)
    {
        var shortfall = filter.Describe(fleet, host, request);
        return new FailedConstraint(filter.Name, shortfall.Needed, shortfall.Available, shortfall.Detail);
    }
}

using ControlPlane.Scheduling.Matching;
using ControlPlane.Scheduling.Placements;
using ControlPlane.Scheduling.Snapshot;

namespace ControlPlane.Scheduling.Filters;

/// <summary>
/// Hosts whose pools hold enough available functions. In the scan this only counts, by pool; that the functions can be chosen together
/// is matching's part.
/// </summary>
internal sealed class DeviceFilter : IHostFilter
{
    public const string FilterName = "devices";

    public string Name => FilterName;

    public bool Keeps(FleetState fleet, int host, CompiledRequest request)
    {
        // What a VM already has in a group is counted as taken, so only matching can say what a hot-plug may have.
        if (request.Request.Purpose == PlacementPurpose.HotPlug)
            return true;
        foreach (var demandClass in request.Classes)
        {
            var available = 0;
            foreach (var pool in demandClass.Pools)
                available += fleet.FreeByPool[pool][host];
            if (available < demandClass.Count)
                return false;
        }
        return true;
    }

    public Shortfall Describe(FleetState fleet, int host, CompiledRequest request) => DeviceShortfall.Of(fleet, host, request);
}

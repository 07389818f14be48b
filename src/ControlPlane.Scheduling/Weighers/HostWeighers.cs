using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Scheduling.Matching;
using ControlPlane.Scheduling.Placements;
using ControlPlane.Scheduling.Snapshot;

namespace ControlPlane.Scheduling.Weighers;

/// <summary>Spreads VMs over hosts, or packs them, by what stays free of the scarcer of vCPUs and memory.</summary>
internal sealed class CapacityWeigher(FleetLayout layout) : IHostWeigher
{
    public double Weight => 1;

    public double Weigh(FleetState fleet, int host, CompiledRequest request)
    {
        var limit = fleet.Limits[host];
        var free = fleet.Free[host] - request.Request.Share;
        var cpu = limit.Vcpus > 0 ? (double)free.Vcpus / limit.Vcpus : 0;
        var memory = limit.MemoryMiB > 0 ? (double)free.MemoryMiB / limit.MemoryMiB : 0;
        var left = Math.Clamp(Math.Min(cpu, memory), 0, 1);
        return layout == FleetLayout.Spread ? left : 1 - left;
    }
}

/// <summary>
/// A group's own policy outweighs the fleet's: the fewer members a host has the better when they spread, the more the better when they
/// pack. Under hard-spread there are none, and it says nothing.
/// </summary>
internal sealed class GroupWeigher : IHostWeigher
{
    public double Weight => 8;

    public double Weigh(FleetState fleet, int host, CompiledRequest request)
    {
        if (request.Members.IsEmpty)
            return 0;
        var members = request.Members.GetValueOrDefault(host);
        var few = 1.0 / (1 + members);
        return request.Request.GroupPolicy == GroupPolicy.Pack ? 1 - few : few;
    }
}

/// <summary>Keeps a VM away from functions that it does not ask for: they should be there when a VM comes that does.</summary>
internal sealed class DeviceScarcityWeigher : IHostWeigher
{
    private const double Many = 64;

    public double Weight => 2;

    public double Weigh(FleetState fleet, int host, CompiledRequest request)
    {
        var wanted = 0;
        foreach (var demandClass in request.Classes)
        {
            foreach (var pool in demandClass.Pools)
                wanted += fleet.FreeByPool[pool][host];
        }
        var burnt = Math.Max(0, fleet.FreeDevices[host] - wanted);
        return 1 - (Math.Min(Many, burnt) / Many);
    }
}

/// <summary>Among hosts that serve the devices: those with most to spare when VMs spread, those with least when they pack.</summary>
internal sealed class DeviceSupplyWeigher(FleetLayout layout) : IHostWeigher
{
    public double Weight => 1;

    public double Weigh(FleetState fleet, int host, CompiledRequest request)
    {
        if (request.Classes.Length == 0)
            return 0;
        var least = 1.0;
        foreach (var demandClass in request.Classes)
        {
            var free = 0;
            foreach (var pool in demandClass.Pools)
                free += fleet.FreeByPool[pool][host];
            // 0 when nothing would be left, towards 1 with plenty.
            least = Math.Min(least, 1 - (demandClass.Count / (double)Math.Max(demandClass.Count, free)));
        }
        return layout == FleetLayout.Spread ? least : 1 - least;
    }
}

using ControlPlane.Domain;
using ControlPlane.Scheduling.Placements;

namespace ControlPlane.Scheduling.Snapshot;

/// <summary>
/// Who holds what of which host. What a host has sold is the sum over its entries, so that an event that comes twice, or after the
/// reservation that it confirms, counts once.
/// </summary>
internal sealed class AllocationBook
{
    private readonly Dictionary<(VmId Vm, HostId Host), VmAllocation> byVmAndHost = [];
    private readonly Dictionary<HostId, HashSet<VmId>> vmsOf = [];

    /// <summary>Said of hosts that are not known yet: counted when they come.</summary>
    private readonly HashSet<(VmId Vm, HostId Host)> waiting = [];

    public IReadOnlyCollection<VmAllocation> All => byVmAndHost.Values;

    public static VmAllocation Of(Placement placement) =>
        new(placement.Vm, placement.Project, placement.Host, placement.Share, placement.Cells, placement.Group);

    public void Upsert(FleetState fleet, VmAllocation allocation)
    {
        var key = (allocation.Vm, allocation.Host);
        var known = byVmAndHost.GetValueOrDefault(key);
        if (known is not null)
            Remove(fleet, allocation.Vm, allocation.Host);
        var counted = allocation with { Cells = allocation.Cells ?? known?.Cells ?? CellsOfDevices(fleet, allocation) };
        byVmAndHost[key] = counted;
        if (!vmsOf.TryGetValue(allocation.Host, out var vms))
            vmsOf[allocation.Host] = vms = [];
        vms.Add(allocation.Vm);
        if (fleet.IndexOf.ContainsKey(allocation.Host))
            fleet.Count(counted, +1);
        else
            waiting.Add(key);
    }

    public void Remove(FleetState fleet, VmId vm, HostId host)
    {
        if (!byVmAndHost.Remove((vm, host), out var known))
            return;
        if (vmsOf[host].Remove(vm) && vmsOf[host].Count == 0)
            vmsOf.Remove(host);
        if (!waiting.Remove((vm, host)))
            fleet.Count(known, -1);
    }

    public void CountWaiting(FleetState fleet, HostId host)
    {
        foreach (var vm in VmsOf(host))
        {
            if (waiting.Remove((vm, host)))
                fleet.Count(byVmAndHost[(vm, host)], +1);
        }
    }

    /// <summary>The host has other NUMA cells than before.</summary>
    public void RecountCells(FleetState fleet, HostId host)
    {
        foreach (var vm in VmsOf(host))
        {
            if (!waiting.Contains((vm, host)))
                fleet.CountCells(fleet.IndexOf[host], byVmAndHost[(vm, host)], +1);
        }
    }

    public void RemoveHost(FleetState fleet, HostId host)
    {
        foreach (var vm in VmsOf(host))
            Remove(fleet, vm, host);
    }

    private VmId[] VmsOf(HostId host) => vmsOf.TryGetValue(host, out var vms) ? [.. vms] : [];

    /// <summary>Where a VM's cell is not known, the node that all of its devices are on tells.</summary>
    private static IReadOnlyList<CellShare>? CellsOfDevices(FleetState fleet, VmAllocation allocation)
    {
        if (!fleet.IndexOf.TryGetValue(allocation.Host, out var host))
            return null;
        var devices = fleet.Blocks[host]!.Devices;
        var nodes = new HashSet<int>();
        foreach (ref readonly var row in devices.Rows)
        {
            if (row.IsOwned && row.Owner == allocation.Vm)
                nodes.Add(devices.NodeOf(row));
        }
        return nodes.Count == 1 ? [new CellShare(nodes.First(), allocation.Share)] : null;
    }
}

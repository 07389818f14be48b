using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Scheduling.Placements;

namespace ControlPlane.Scheduling.Snapshot;

/// <summary>What changes the fleet, one function per event.</summary>
internal static class FleetEvents
{
    /// <returns>False when the host's NUMA cells are other ones than before: what they have sold has to be counted anew.</returns>
    public static bool UpsertHost(this FleetState fleet, Host host)
    {
        var known = fleet.IndexOf.TryGetValue(host.Id, out var index);
        if (!known)
            index = fleet.AddSlot(host.Id);
        // A host that does not describe its cells is one cell: NUMA then asks nothing more than capacity does.
        var cells = host.Capacity.Cells.Count > 1 ? host.Capacity.Cells : [WholeHost(host)];
        var nodes = cells.Select(c => c.Node).ToArray();
        var old = known ? fleet.Blocks[index] : null;
        var sameCells = old is null || old.CellNodes.AsSpan().SequenceEqual(nodes);
        var block = new HostBlock
        {
            Host = host,
            CellNodes = nodes,
            CellLimits = [.. cells.Select(c => HostShare.SellableOf(c, host.CpuRatio, host.MemoryRatio))],
            CellSold = old is not null && sameCells ? [.. old.CellSold] : new HostShare[nodes.Length],
            Devices = DeviceTable.None,
            CountedPools = [.. old?.CountedPools ?? []],
            Epoch = fleet.Epoch,
        };
        if (old is not null)
        {
            block.Wires = old.Wires;
            block.Devices = old.SingleNode == block.SingleNode ? old.Devices.Clone() : old.Devices.Reclassified(host.Id, fleet.Catalog, block.SingleNode);
        }
        var sold = known ? fleet.Limits[index] - fleet.Free[index] : HostShare.None;
        fleet.SetBlock(index, block);
        fleet.Limits[index] = HostShare.SellableOf(host.Capacity, host.CpuRatio, host.MemoryRatio);
        fleet.Free[index] = fleet.Limits[index] - sold;
        fleet.Accepts[index] = host.State.AcceptsVms() && !host.Cordoned;
        fleet.Cpu[index] = fleet.InternCpu(host.Cpu);
        fleet.PublishCounts(index);
        return sameCells;
    }

    public static void UpsertDevices(this FleetState fleet, int host, IEnumerable<PciDevice> devices)
    {
        var block = fleet.Own(host);
        block.Devices = block.Devices.With(fleet.Ids[host], devices, fleet.Catalog, block.SingleNode);
        fleet.PublishDevices(host);
    }

    public static void SetOwnership(this FleetState fleet, int host, PciAddress address, DeviceOwnership ownership)
    {
        var index = fleet.Blocks[host]!.Devices.Find(address);
        if (index < 0 || fleet.Blocks[host]!.Devices.Rows[index].Generation > ownership.Generation)
            return;
        fleet.Own(host).Devices.Change(index, ownership);
        fleet.PublishCounts(host);
    }

    public static void SetDriver(this FleetState fleet, int host, PciAddress address, string? driver)
    {
        var index = fleet.Blocks[host]!.Devices.Find(address);
        if (index < 0)
            return;
        var flag = DeviceTable.IsHostDriver(driver) ? DeviceFlags.HostDriver : DeviceFlags.None;
        fleet.Own(host).Devices.Change(index, (rows, i) => rows[i].Flags = (rows[i].Flags & ~DeviceFlags.HostDriver) | flag);
        fleet.PublishCounts(host);
    }

    public static void SetPools(this FleetState fleet, IReadOnlyCollection<DevicePool> pools)
    {
        fleet.Catalog = fleet.Catalog.WithPools(pools);
        foreach (var host in fleet.IndexOf.Values)
        {
            var block = fleet.Own(host);
            block.Devices = block.Devices.Reclassified(fleet.Ids[host], fleet.Catalog, block.SingleNode);
        }
        fleet.ResetPoolCounts();
        foreach (var host in fleet.IndexOf.Values)
            fleet.PublishDevices(host);
    }

    /// <summary>Adds (or with a sign of -1 takes away) what a VM holds.</summary>
    public static void Count(this FleetState fleet, VmAllocation allocation, int sign)
    {
        if (!fleet.IndexOf.TryGetValue(allocation.Host, out var host))
            return;
        fleet.Free[host] = sign > 0 ? fleet.Free[host] - allocation.Share : fleet.Free[host] + allocation.Share;
        fleet.CountCells(host, allocation, sign);
        if (allocation.Group is { } group)
            fleet.ChangeMembers(new GroupKey(allocation.Project, group), host, sign);
    }

    /// <summary>Only the part of it that is on the host's NUMA cells.</summary>
    public static void CountCells(this FleetState fleet, int host, VmAllocation allocation, int sign)
    {
        if (allocation.Cells is not { Count: > 0 } cells)
            return;
        var block = fleet.Own(host);
        foreach (var cell in cells)
        {
            var index = Array.IndexOf(block.CellNodes, cell.Node);
            if (index >= 0)
                block.CellSold[index] = sign > 0 ? block.CellSold[index] + cell.Share : block.CellSold[index] - cell.Share;
        }
    }

    /// <summary>Takes the devices of a placement, as its transaction will.</summary>
    public static void TakeDevices(this FleetState fleet, Placement placement)
    {
        if (!fleet.IndexOf.TryGetValue(placement.Host, out var host))
            return;
        foreach (var claim in placement.Claims)
            fleet.SetOwnership(host, claim.Address, new DeviceOwnership(DeviceState.Reserved, claim.Owner, claim.Reserved));
    }

    /// <summary>Gives them back, unless an event has said something newer of a device, or that it is another's.</summary>
    public static void ReturnDevices(this FleetState fleet, Placement placement)
    {
        if (!fleet.IndexOf.TryGetValue(placement.Host, out var host))
            return;
        foreach (var claim in placement.Claims)
        {
            var index = fleet.Blocks[host]!.Devices.Find(claim.Address);
            if (index < 0)
                continue;
            var row = fleet.Blocks[host]!.Devices.Rows[index];
            if (row.State == DeviceState.Reserved && row.Owner == placement.Vm && row.Generation == claim.Reserved)
                fleet.Own(host).Devices.Change(index, new DeviceOwnership(DeviceState.Free, null, claim.Expected));
        }
        fleet.PublishCounts(host);
    }

    /// <summary>Brings all that follows from a host's devices in line with them.</summary>
    public static void PublishDevices(this FleetState fleet, int host)
    {
        var block = fleet.Own(host);
        var wires = new SortedSet<int>();
        foreach (ref readonly var row in block.Devices.Rows)
            wires.UnionWith(fleet.Catalog.WiresOf(row.PoolSet));
        block.Wires = [.. wires];
        fleet.PublishCounts(host);
    }

    /// <summary>What one cell can still take: no more than the host as a whole, of which floating VMs have a part.</summary>
    public static HostShare CellFree(this FleetState fleet, int host, int cell)
    {
        var block = fleet.Blocks[host]!;
        var free = block.CellNodes.Length == 1 ? fleet.Free[host] : block.CellLimits[cell] - block.CellSold[cell];
        var whole = fleet.Free[host];
        return new HostShare(
            Math.Min(free.Vcpus, whole.Vcpus), Math.Min(free.MemoryMiB, whole.MemoryMiB), Math.Min(free.Hugepages2MiB, whole.Hugepages2MiB),
            Math.Min(free.Hugepages1GiB, whole.Hugepages1GiB));
    }

    private static NumaCell WholeHost(Host host) => new(
        host.Capacity.Cells.Count == 1 ? host.Capacity.Cells[0].Node : 0, host.Capacity.Vcpus, host.Capacity.MemoryMiB,
        host.Capacity.Hugepages2MiB, host.Capacity.Hugepages1GiB);
}

using ControlPlane.Domain.Hosts;

namespace ControlPlane.Scheduling.Snapshot;

/// <summary>What the arrays say, in words: numbers that were given in the order of arrival (slots, models, pool sets) do not show.</summary>
internal static class FleetDescription
{
    public static IReadOnlyList<string> Of(FleetState fleet, AllocationBook allocations)
    {
        var lines = new List<string>();
        foreach (var host in fleet.IndexOf.Values)
        {
            AddHost(lines, fleet, host);
            AddDevices(lines, fleet, host);
        }
        foreach (var (key, hosts) in fleet.Groups)
            lines.AddRange(hosts.Select(h => $"group {key.Project} {key.Group} on {fleet.Ids[h.Key]}: {h.Value}"));
        lines.AddRange(allocations.All.Select(a =>
            $"allocation {a.Vm} on {a.Host}: {a.Share} of {a.Project} {a.Group} cells {string.Join(' ', (a.Cells ?? []).OrderBy(c => c.Node))}"));
        lines.Sort(StringComparer.Ordinal);
        return lines;
    }

    private static void AddHost(List<string> lines, FleetState fleet, int host)
    {
        var block = fleet.Blocks[host]!;
        var id = fleet.Ids[host];
        var cpu = fleet.CpuModels[fleet.Cpu[host]];
        lines.Add($"host {id} {block.Host.Name} {block.Host.State} generation {block.Host.Generation} accepts {fleet.Accepts[host]}");
        lines.Add($"host {id} cpu {cpu.Vendor} {cpu.Name} labels {string.Join(' ', block.Host.Labels.OrderBy(l => l.Key, StringComparer.Ordinal))}");
        lines.Add($"host {id} limits {fleet.Limits[host]} free {fleet.Free[host]}");
        lines.Add($"host {id} wires {string.Join(' ', block.Wires.Select(fleet.Catalog.WireAt).Order(StringComparer.Ordinal))}");
        lines.Add($"host {id} free devices {fleet.FreeDevices[host]}");
        for (var cell = 0; cell < block.CellNodes.Length; cell++)
            lines.Add($"host {id} cell {block.CellNodes[cell]} limits {block.CellLimits[cell]} sold {block.CellSold[cell]}");
        for (var pool = 0; pool < fleet.Catalog.PoolCount; pool++)
            lines.Add($"host {id} free in pool {fleet.Catalog.Pools[pool].Id}: {fleet.FreeByPool[pool][host]}");
    }

    private static void AddDevices(List<string> lines, FleetState fleet, int host)
    {
        var devices = fleet.Blocks[host]!.Devices;
        foreach (ref readonly var row in devices.Rows)
        {
            var pools = fleet.Catalog.PoolsOf(row.PoolSet).Select(p => fleet.Catalog.Pools[p].Name).Order(StringComparer.Ordinal);
            lines.Add(
                $"device {fleet.Ids[host]} {row.Address} of {row.PhysicalFunction} {row.State} {(row.IsOwned ? row.Owner : null)} generation {row.Generation} "
                + $"{row.Flags} group {row.IommuGroup} node {row.NumaNode} {fleet.Catalog.AlikeAt(row.Alike)} pools {string.Join(' ', pools)}");
        }
    }
}

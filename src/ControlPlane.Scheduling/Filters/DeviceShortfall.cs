using ControlPlane.Domain.Pci;
using ControlPlane.Scheduling.Matching;
using ControlPlane.Scheduling.Snapshot;

namespace ControlPlane.Scheduling.Filters;

/// <summary>Says in words which functions are missing, and what has become of those that would serve.</summary>
internal static class DeviceShortfall
{
    public static Shortfall Of(FleetState fleet, int host, CompiledRequest request)
    {
        var table = HostFitter.TableFor(fleet, host, request);
        var lacking = request.Classes.Where(c => AvailableFor(c, table) < c.Count).ToArray();
        if (lacking.Length > 0)
        {
            return new Shortfall(
                string.Join(", ", lacking.Select(c => $"{Functions(c.Count)} {Source(c, fleet.Catalog)}")),
                string.Join(", ", lacking.Select(c => AvailableFor(c, table).ToString())),
                string.Join(' ', lacking.Select(c => Whereabouts(c, table, fleet.Catalog))));
        }
        var total = request.ClassOfDemand.Length;
        var matched = HostFitter.MostMatched(fleet, host, request);
        var all = string.Join(" and ", request.Classes.Select(c => $"{c.Count} {Source(c, fleet.Catalog)}"));
        return request.IsBondSafe
            ? new Shortfall(
                $"{all}, from different physical functions on one NUMA node and one physical network", $"{matched} of {total}",
                "There are enough functions, but not on enough physical functions of one NUMA node and one physical network.")
            : new Shortfall(
                all, $"{matched} of {total} together",
                "Each request alone could be served, but they want the same functions, or ones that exclude each other.");
    }

    public static string Source(DemandClass demandClass, DeviceCatalog catalog)
    {
        var alike = demandClass.Sample.AlikeTo is { } model ? $" like {model}" : "";
        if (demandClass.Sample.Pool is null)
            return $"for interface {demandClass.Sample.Name}{(demandClass.Sample.PhysicalNetwork is { } wire ? $" on physical network {wire}" : "")}{alike}";
        return demandClass.Pools is [var pool] ? $"of pool {catalog.Pools[pool].Name}{alike}" : $"of pool {demandClass.Sample.Pool}{alike}";
    }

    private static int AvailableFor(DemandClass demandClass, DeviceTable table)
    {
        var available = 0;
        foreach (ref readonly var bucket in table.Buckets)
            available += demandClass.Fits(bucket) ? bucket.Count : 0;
        return available;
    }

    private static string Functions(int count) => count == 1 ? "1 function" : $"{count} functions";

    /// <summary>"Of 8 that match, 6 are owned, 1 is quarantined…": every function is named under the first reason that holds.</summary>
    private static string Whereabouts(DemandClass demandClass, DeviceTable table, DeviceCatalog catalog)
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        int matching = 0, absent = 0;
        foreach (ref readonly var row in table.Rows)
        {
            if (!demandClass.FitsPools(row.PoolSet) || !demandClass.FitsModel(row.Alike))
                continue;
            if (!row.IsEndpoint)
            {
                absent++;
                continue;
            }
            matching++;
            var reason = WhyNot(row, table);
            counts[reason] = counts.GetValueOrDefault(reason) + 1;
        }
        if (matching == 0)
        {
            return absent == 0 ? $"The host has no function {Source(demandClass, catalog)}."
                : $"All {absent} functions {Source(demandClass, catalog)} are switched off.";
        }
        return $"Of {matching} that match, {string.Join(", ", counts.Select(c => $"{c.Value} {c.Key}"))}.";
    }

    private static string WhyNot(in DeviceRow row, DeviceTable table)
    {
        if (row.State is DeviceState.Reserved or DeviceState.Attached)
            return "in use";
        if (row.State is DeviceState.Draining or DeviceState.Cleaning)
            return "being cleaned";
        if (row.State == DeviceState.Quarantined)
            return "quarantined";
        if (row.State == DeviceState.Host || !row.Has(DeviceFlags.Assignable))
            return "not assignable";
        if (row.Group == DeviceRow.NoIndex)
            return "without an IOMMU group";
        var group = table.Groups[row.Group];
        return group.Block switch
        {
            GroupBlock.None => "available",
            var b when b.HasFlag(GroupBlock.HostCritical) => $"in IOMMU group {group.Number} with a host-critical member",
            var b when b.HasFlag(GroupBlock.HostUsed) => $"in IOMMU group {group.Number} with a member that the host uses",
            var b when b.HasFlag(GroupBlock.Owned) => $"in IOMMU group {group.Number} of which another VM has a member",
            var b when b.HasFlag(GroupBlock.Quarantined) => $"in IOMMU group {group.Number} with a quarantined member",
            var b when b.HasFlag(GroupBlock.FunctionWithItsOwnVirtual) => $"in IOMMU group {group.Number} with its own physical or virtual function",
            var b when b.HasFlag(GroupBlock.PhysicalFunctionOwned) => "of a physical function that is assigned",
            _ => "with a virtual function in use",
        };
    }
}

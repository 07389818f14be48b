using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Scheduling.Matching;
using ControlPlane.Scheduling.Snapshot;

namespace ControlPlane.Scheduling.Explanation;

/// <summary>Changes that together make one more function available, or several at once.</summary>
/// <param name="Rank">How much harm they do: those that take nothing from anybody first.</param>
internal sealed record DeviceRepair(IReadOnlyList<FleetChange> Changes, int Rank);

/// <summary>Lists what could be done on a host so that more of a request's devices are served. Whether it helps is tried, not assumed.</summary>
internal static class DeviceRepairs
{
    private const int RankAssignable = 0;
    private const int RankNewFunctions = 1;
    private const int RankQuarantine = 2;
    private const int RankRelax = 3;
    private const int RankHostUsed = 4;
    private const int RankRelease = 5;

    /// <summary>Growing while functions are in use keeps them, but their host's kernel may refuse to (Linux wants none first).</summary>
    private const int RankNewFunctionsBesideUsed = 6;

    /// <param name="missing">Demands that are not served.</param>
    public static List<DeviceRepair> For(WhatIf what, int missing)
    {
        var repairs = new List<DeviceRepair>();
        if (what.Request.IsBondSafe)
            repairs.Add(new DeviceRepair([new RelaxDeviceSpread("relax deviceSpread from distinct-physical-functions to none")], RankRelax));
        if (what.Request.Request.NumaPolicy == NumaPolicy.Required)
            repairs.Add(new DeviceRepair([new RelaxNumaPolicy(NumaPolicy.Preferred, "relax numaPolicy from required to preferred")], RankRelax));
        AddNewFunctions(what, missing, repairs);
        var table = what.Devices;
        // Devices that are alike in all that matters give the same result: the first stands for all.
        var seen = new HashSet<(int, int, int, int, DeviceState, DeviceFlags, GroupBlock, int)>();
        for (var i = 0; i < table.Rows.Length; i++)
        {
            var row = table.Rows[i];
            if (!row.IsEndpoint || row.Group == DeviceRow.NoIndex || !IsWanted(row, what.Request) || table.IsAvailable(row)
                || IsHeldBy(row, what.Request.Request.Vm))
            {
                continue;
            }
            var group = table.Groups[row.Group];
            var ownCase = group.Endpoints > 1 || row.Has(DeviceFlags.Physical) ? i : -1;
            var isNew = seen.Add((row.PoolSet, row.Alike, row.PhysicalFunctionRow, table.NodeOf(row), row.State, row.Flags, group.Block, ownCase));
            if (isNew && ToFree(what, table, i) is { } repair)
                repairs.Add(repair);
        }
        return repairs;
    }

    private static bool IsHeldBy(in DeviceRow row, VmId vm) => row.IsOwned && row.Owner == vm;

    private static bool IsWanted(in DeviceRow row, CompiledRequest request)
    {
        foreach (var demandClass in request.Classes)
        {
            if (demandClass.FitsPools(row.PoolSet) && demandClass.FitsModel(row.Alike))
                return true;
        }
        return false;
    }

    /// <summary>The same repair with no more new virtual functions than are of use.</summary>
    public static IReadOnlyList<FleetChange> AtMost(WhatIf what, DeviceRepair repair, int newFunctions) =>
        repair.Changes is [SetVirtualFunctionCount create]
            ? [NewFunctions(what, what.Devices.Find(create.PhysicalFunction), newFunctions)]
            : repair.Changes;

    private static void AddNewFunctions(WhatIf what, int missing, List<DeviceRepair> repairs)
    {
        var table = what.Devices;
        for (var i = 0; i < table.Rows.Length; i++)
        {
            var row = table.Rows[i];
            if (!row.IsEndpoint || !row.Has(DeviceFlags.Physical) || row.IsOwned || table.PhysicalFunctionAt(row.Address)?.Sriov is not { } sriov)
                continue;
            var (present, owned) = VirtualFunctions.CountOf(table, i);
            if (present < sriov.TotalVfs)
            {
                var create = NewFunctions(what, i, Math.Min(missing, sriov.TotalVfs - present));
                repairs.Add(new DeviceRepair([create], owned == 0 ? RankNewFunctions : RankNewFunctionsBesideUsed));
            }
        }
    }

    private static SetVirtualFunctionCount NewFunctions(WhatIf what, int physicalFunction, int more)
    {
        var address = what.Devices.Rows[physicalFunction].Address;
        var total = what.Devices.PhysicalFunctionAt(address)!.Sriov!.TotalVfs;
        var (present, owned) = VirtualFunctions.CountOf(what.Devices, physicalFunction);
        var functions = more == 1 ? "1 more virtual function" : $"{more} more virtual functions";
        return new SetVirtualFunctionCount(
            what.Fleet.Ids[what.Host], address, present + more, $"create {functions} on {address} ({present} of {total} exist, {owned} in use)");
    }

    /// <summary>All that has to happen before one function can be handed out; null: nothing would do.</summary>
    private static DeviceRepair? ToFree(WhatIf what, DeviceTable table, int index)
    {
        var row = table.Rows[index];
        if (row.Group == DeviceRow.NoIndex || table.Groups[row.Group].Block.HasFlag(GroupBlock.HostCritical)
            || table.Groups[row.Group].Block.HasFlag(GroupBlock.FunctionWithItsOwnVirtual))
        {
            return null;
        }
        var changes = new Dictionary<PciAddress, FleetChange>();
        var rank = RankAssignable;
        foreach (var member in table.MembersOf(row.Group))
        {
            if (table.Rows[member].BindsGroup)
                rank = Math.Max(rank, Clear(what, table, member, isWanted: member == index, changes));
            foreach (var excluding in Excluding(table, member))
                rank = Math.Max(rank, Clear(what, table, excluding, isWanted: false, changes));
        }
        return changes.Count == 0 ? null : new DeviceRepair([.. changes.OrderBy(c => c.Key).Select(c => c.Value)], rank);
    }

    /// <summary>Functions whose owner keeps this one from being taken: a virtual one's physical one, and the other way round.</summary>
    private static List<int> Excluding(DeviceTable table, int index)
    {
        var excluding = new List<int>();
        var row = table.Rows[index];
        if (row.PhysicalFunctionRow >= 0)
            excluding.Add(row.PhysicalFunctionRow);
        for (var i = 0; i < table.Rows.Length; i++)
        {
            if (table.Rows[i].PhysicalFunctionRow == index && table.Rows[i].BindsGroup && row.State is not DeviceState.Host)
                excluding.Add(i);
        }
        excluding.RemoveAll(i => !table.Rows[i].IsOwned && table.Rows[i].State != DeviceState.Quarantined);
        return excluding;
    }

    private static int Clear(WhatIf what, DeviceTable table, int index, bool isWanted, Dictionary<PciAddress, FleetChange> changes)
    {
        var row = table.Rows[index];
        var host = what.Fleet.Ids[what.Host];
        if (row.IsOwned)
        {
            if (IsHeldBy(row, what.Request.Request.Vm))
                return RankAssignable;
            changes[row.Address] = new ReleaseDevice(host, row.Address, row.Owner, $"release {row.Address}");
            return RankRelease;
        }
        if (row.State == DeviceState.Quarantined)
        {
            changes[row.Address] = new ReleaseQuarantine(host, row.Address, $"release {row.Address} from quarantine");
            return RankQuarantine;
        }
        var used = row.State == DeviceState.Host && row.Has(DeviceFlags.HostDriver);
        if (used || (isWanted && !DeviceTable.IsOffered(row)))
            changes[row.Address] = new SetAssignable(host, row.Address, $"set assignable on {row.Address}");
        return used ? RankHostUsed : RankAssignable;
    }
}

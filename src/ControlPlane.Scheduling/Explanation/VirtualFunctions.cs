using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Scheduling.Snapshot;

namespace ControlPlane.Scheduling.Explanation;

/// <summary>What the virtual functions of a physical one would be if there were another number of them.</summary>
internal static class VirtualFunctions
{
    /// <summary>Present virtual functions of a physical one, and how many of them somebody has.</summary>
    public static (int Present, int Owned) CountOf(DeviceTable table, int physicalFunction)
    {
        int present = 0, owned = 0;
        foreach (ref readonly var row in table.Rows)
        {
            if (row.PhysicalFunctionRow != physicalFunction || !row.IsEndpoint)
                continue;
            present++;
            owned += row.IsOwned || row.State == DeviceState.Quarantined ? 1 : 0;
        }
        return (present, owned);
    }

    /// <summary>
    /// The first <paramref name="count"/> virtual functions that do not exist yet, at the addresses that offset and stride give
    /// (PCIe base specification, 9.3.3). Each is taken to be alone in its IOMMU group unless those that exist share one.
    /// </summary>
    public static IEnumerable<PciDevice> ToReach(FleetState fleet, int host, PciAddress physicalFunction, int count)
    {
        var table = fleet.Blocks[host]!.Devices;
        var facts = table.PhysicalFunctionAt(physicalFunction)!;
        var shared = SharedGroup(table, table.Find(physicalFunction));
        var group = 0;
        foreach (ref readonly var known in table.Groups)
            group = Math.Max(group, known.Number + 1);
        var added = new List<PciDevice>();
        for (var i = 0; i < count; i++)
        {
            var address = PciAddress.FromRoutingId(
                physicalFunction.Domain, (ushort)(physicalFunction.RoutingId + facts.Sriov!.FirstVfOffset + (i * facts.Sriov.VfStride)));
            var known = table.Find(address);
            if (known >= 0 && table.Rows[known].Has(DeviceFlags.Present))
                continue;
            var function = new PciFunction
            {
                Address = address, Kind = PciKind.Endpoint, ClassCode = facts.ClassCode, VendorId = facts.VendorId,
                DeviceId = facts.Sriov.VfDeviceId, NumaNode = facts.NumaNode, Function = FunctionKind.Virtual,
                PhysicalFunction = physicalFunction, IommuGroup = facts.IommuGroup is null ? null : shared ?? group++,
            };
            // A function that comes back is still whose it was.
            var ownership = known >= 0 ? OwnershipOf(table.Rows[known]) : DeviceOwnership.Unowned;
            added.Add(new PciDevice(fleet.Ids[host], function, ownership, Assignable: true, HostCritical: false, Present: true));
        }
        return added;
    }

    /// <summary>Owners of the virtual functions that are gone when a physical one has only so many: those at the end of the row.</summary>
    public static HashSet<VmId> OwnersBeyond(DeviceTable table, PciAddress physicalFunction, int count)
    {
        var owners = new HashSet<VmId>();
        var function = table.Find(physicalFunction);
        var index = 0;
        foreach (ref readonly var row in table.Rows)
        {
            if (function < 0 || row.PhysicalFunctionRow != function || !row.IsEndpoint)
                continue;
            if (index++ >= count && row.IsOwned)
                owners.Add(row.Owner);
        }
        return owners;
    }

    private static DeviceOwnership OwnershipOf(in DeviceRow row) =>
        new(row.State, row.IsOwned ? new DeviceOwner(row.Owner, "") : null, row.Generation);

    private static int? SharedGroup(DeviceTable table, int physicalFunction)
    {
        foreach (ref readonly var row in table.Rows)
        {
            if (row.PhysicalFunctionRow == physicalFunction && row.IsEndpoint && row.Group != DeviceRow.NoIndex && table.Groups[row.Group].Endpoints > 1)
                return row.IommuGroup;
        }
        return null;
    }
}

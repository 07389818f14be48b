using ControlPlane.Domain;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Scheduling.Snapshot;

/// <summary>
/// The PCI functions of one host, sorted by address, and what follows from them: which IOMMU groups may be handed out, and the buckets
/// of available functions that matching works on. Small enough that every change recomputes all that follows (about a microsecond).
/// </summary>
internal sealed partial class DeviceTable
{
    public static readonly DeviceTable None = new();

    private readonly int singleNode;
    private readonly DeviceRow[] rows = [];
    private readonly IommuGroupState[] groups = [];
    private readonly short[] members = [];

    /// <summary>Physical functions, as last seen: what their virtual functions would be is said there.</summary>
    private readonly Dictionary<PciAddress, PciFunction> physicalFunctions = [];
    private Bucket[] buckets = [];
    private short[] bucketRows = [];
    private int bucketCount;

    private DeviceTable()
    {
    }

    /// <param name="singleNode">The node that every device is on when the host has one NUMA cell; negative: devices say themselves.</param>
    private DeviceTable(DeviceRow[] rows, Dictionary<PciAddress, PciFunction> physicalFunctions, int singleNode)
    {
        this.rows = rows;
        this.physicalFunctions = physicalFunctions;
        this.singleNode = singleNode;
        LinkPhysicalFunctions();
        (groups, members) = LinkGroups();
        Refresh();
    }

    private DeviceTable(DeviceTable other)
    {
        rows = [.. other.rows];
        groups = [.. other.groups];
        members = other.members;
        physicalFunctions = other.physicalFunctions;
        singleNode = other.singleNode;
        buckets = [.. other.buckets];
        bucketRows = [.. other.bucketRows];
        bucketCount = other.bucketCount;
    }

    public ReadOnlySpan<DeviceRow> Rows => rows;

    public ReadOnlySpan<IommuGroupState> Groups => groups;

    public ReadOnlySpan<Bucket> Buckets => buckets.AsSpan(0, bucketCount);

    public ReadOnlySpan<short> RowsOf(in Bucket bucket) => bucketRows.AsSpan(bucket.Start, bucket.Count);

    public ReadOnlySpan<short> MembersOf(int group) => members.AsSpan(groups[group].Start, groups[group].Count);

    public PciFunction? PhysicalFunctionAt(PciAddress address) => physicalFunctions.GetValueOrDefault(address);

    public DeviceTable Clone() => new(this);

    /// <summary>The same devices seen by a VM that already has some of them: its own groups are open to it.</summary>
    public DeviceTable SeenBy(VmId vm)
    {
        var view = Clone();
        view.Refresh(vm);
        return view;
    }

    /// <summary>The node of a row for NUMA purposes.</summary>
    public int NodeOf(in DeviceRow row) => singleNode >= 0 ? singleNode : row.NumaNode;

    public int Find(PciAddress address)
    {
        int low = 0, high = rows.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var order = rows[middle].Address.CompareTo(address);
            if (order == 0)
                return middle;
            if (order < 0)
                low = middle + 1;
            else
                high = middle - 1;
        }
        return -1;
    }

    /// <summary>The table after a scan or an operator's change. An ownership that is older than the one known is not taken over.</summary>
    public DeviceTable With(HostId host, IEnumerable<PciDevice> devices, DeviceCatalog catalog, int node)
    {
        var merged = rows.ToDictionary(r => r.Address);
        var physical = new Dictionary<PciAddress, PciFunction>(physicalFunctions);
        foreach (var device in devices)
        {
            var row = RowOf(host, device, catalog);
            if (merged.TryGetValue(row.Address, out var known) && known.Generation > row.Generation)
                (row.State, row.Owner, row.Generation) = (known.State, known.Owner, known.Generation);
            merged[row.Address] = row;
            if (device.Facts.Function == FunctionKind.Physical)
                physical[row.Address] = device.Facts;
        }
        return new DeviceTable([.. merged.Values.OrderBy(r => r.Address)], physical, node);
    }

    /// <summary>The same rows in other pools, or on a host whose cells have changed.</summary>
    public DeviceTable Reclassified(HostId host, DeviceCatalog catalog, int node)
    {
        var changed = (DeviceRow[])rows.Clone();
        foreach (ref var row in changed.AsSpan())
            row.PoolSet = catalog.PoolSetFor(host, catalog.AlikeAt(row.Alike), row.Address, row.Has(DeviceFlags.Virtual) ? row.PhysicalFunction : null);
        return new DeviceTable(changed, physicalFunctions, node);
    }

    /// <summary>Changes one row in place and all that follows.</summary>
    public void Change(int index, DeviceOwnership ownership)
    {
        rows[index].Take(ownership);
        Refresh();
    }

    public void Change(int index, Action<DeviceRow[], int> change)
    {
        change(rows, index);
        Refresh();
    }

    /// <summary>The kernel tolerates the others in a group that a guest has: they do no DMA of their own (vfio_dev_driver_allowed).</summary>
    public static bool IsHostDriver(string? driver) => driver is not (null or "vfio-pci" or "pci-stub");

    private static DeviceRow RowOf(HostId host, PciDevice device, DeviceCatalog catalog)
    {
        var facts = device.Facts;
        var alike = Alike.Of(facts);
        var flags = DeviceFlags.None;
        if (facts.Kind == PciKind.Endpoint)
            flags |= DeviceFlags.Endpoint;
        if (device.Assignable)
            flags |= DeviceFlags.Assignable;
        if (device.HostCritical)
            flags |= DeviceFlags.HostCritical;
        if (device.Present)
            flags |= DeviceFlags.Present;
        if (facts.Function == FunctionKind.Virtual)
            flags |= DeviceFlags.Virtual;
        if (facts.Function == FunctionKind.Physical)
            flags |= DeviceFlags.Physical;
        if (IsHostDriver(facts.Driver))
            flags |= DeviceFlags.HostDriver;
        var row = new DeviceRow
        {
            Address = facts.Address,
            PhysicalFunction = facts.PhysicalFunction ?? facts.Address,
            IommuGroup = facts.IommuGroup ?? DeviceRow.NoGroup,
            NumaNode = (short)(facts.NumaNode ?? DeviceRow.UnknownNode),
            Alike = catalog.Intern(alike),
            PoolSet = catalog.PoolSetFor(host, alike, facts.Address, facts.PhysicalFunction),
            Flags = flags,
            PhysicalFunctionRow = DeviceRow.NoIndex,
            Group = DeviceRow.NoIndex,
        };
        row.Take(device.Ownership);
        return row;
    }

    private void LinkPhysicalFunctions()
    {
        foreach (ref var row in rows.AsSpan())
            row.PhysicalFunctionRow = row.Has(DeviceFlags.Virtual) ? (short)Find(row.PhysicalFunction) : DeviceRow.NoIndex;
    }

    private (IommuGroupState[] Groups, short[] Members) LinkGroups()
    {
        var byNumber = Enumerable.Range(0, rows.Length).Where(i => rows[i].IommuGroup != DeviceRow.NoGroup)
            .GroupBy(i => rows[i].IommuGroup).OrderBy(g => g.Key).ToArray();
        var linked = new IommuGroupState[byNumber.Length];
        var all = new List<short>(rows.Length);
        for (var g = 0; g < byNumber.Length; g++)
        {
            linked[g] = new IommuGroupState { Number = byNumber[g].Key, Start = (short)all.Count, Count = (short)byNumber[g].Count() };
            foreach (var i in byNumber[g])
            {
                rows[i].Group = (short)g;
                all.Add((short)i);
            }
        }
        return (linked, [.. all]);
    }
}

using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;
using ControlPlane.Inventory.Grouping;
using ControlPlane.Inventory.Topology;

namespace ControlPlane.Inventory.Reading;

/// <summary>From facts about functions to the description of a host: tree, groups, reset methods, and the inventory's own records.</summary>
internal sealed class DescriptionBuilder(HostCapacity capacity, CpuModel cpu)
{
    private readonly WarningList warnings = new("inventory");

    public IReadOnlyDictionary<PciAddress, HostNetworkInterface> NetworkInterfaces { get; init; } = new Dictionary<PciAddress, HostNetworkInterface>();

    /// <summary>False: the host says itself that it has no IOMMU, so nothing of it has a group.</summary>
    public bool HasIommu { get; init; } = true;

    public HostDescription Build(IReadOnlyDictionary<PciAddress, FunctionFacts> facts, bool hostShowsGroups, IEnumerable<InventoryWarning> readingWarnings)
    {
        var tree = PciTree.Build(facts.Values, warnings);
        var grouping = Group(tree, hostShowsGroups);
        var resets = ResetMethods.Compute(tree);
        var functions = tree.Functions
            .Select((function, i) => ToFunction(tree, i, hostShowsGroups ? function.ShownGroup : GroupOf(grouping, function.Address), resets[i]))
            .ToList();
        WarnOfNodes(functions);
        return new HostDescription(
            new HostInventory(capacity, cpu, functions),
            facts.ToDictionary(f => f.Key, f => (ReadOnlyMemory<byte>)(Synthesis.IsComplete(f.Value) ? f.Value.Space.Bytes : Synthesis.Build(f.Value))),
            facts.Where(f => !Synthesis.IsComplete(f.Value)).Select(f => f.Key).ToHashSet(),
            NetworkInterfaces, grouping, [.. readingWarnings, .. warnings.ToList()]);
    }

    private int? GroupOf(GroupingReport grouping, PciAddress address) =>
        HasIommu && grouping.Computed.TryGetValue(address, out var group) ? group : null;

    private GroupingReport Group(PciTree tree, bool hostShowsGroups)
    {
        var report = GroupingReports.Make(tree, cpu, hostShowsGroups);
        foreach (var difference in report.Differences)
            warnings.Add(null, $"shares its group with {Members(difference.Shown)} on the host and with {Members(difference.Computed)} by the kernel's rules; the host counts", difference.Function);
        if (!hostShowsGroups)
        {
            foreach (var limit in report.Limits)
                warnings.Add(null, limit);
        }
        return report;

        static string Members(IReadOnlyList<PciAddress> members) => members.Count == 0 ? "nothing, having none," : $"[{string.Join(", ", members.Take(8))}{(members.Count > 8 ? ", …" : "")}]";
    }

    private static PciFunction ToFunction(PciTree tree, int index, int? group, IReadOnlyList<ResetMethod> computedReset)
    {
        var function = tree.Functions[index];
        var parent = tree.Parent(index);
        return new PciFunction
        {
            Address = function.Address,
            Kind = KindOf(tree, index),
            ClassCode = function.ClassCode,
            VendorId = function.VendorId,
            DeviceId = function.DeviceId,
            SubsystemVendorId = function.SubsystemVendorId,
            SubsystemDeviceId = function.SubsystemDeviceId,
            Revision = function.Revision,
            ClassName = function.ClassName ?? PciNames.Class(function.ClassCode),
            VendorName = function.VendorName ?? PciNames.Vendor(function.VendorId),
            DeviceName = function.DeviceName is null or "Device" ? PciNames.Device(function.VendorId, function.DeviceId) ?? function.DeviceName : function.DeviceName,
            Driver = function.Driver,
            NumaNode = function.NumaNode,
            IommuGroup = group,
            Parent = parent == PciTree.None ? null : tree.Functions[parent].Address,
            Function = function.IsVirtual ? FunctionKind.Virtual : function.Capabilities.Sriov is not null ? FunctionKind.Physical : FunctionKind.Plain,
            PhysicalFunction = function.PhysicalFunction,
            Sriov = function.IsVirtual ? null : function.Capabilities.Sriov?.ToCapability(),
            Link = function.Capabilities.Express?.Link,
            Interrupts = new PciInterrupts(function.Capabilities.Msi?.Vectors ?? 0, function.Capabilities.Msix?.Vectors ?? 0),
            Reset = function.ShownReset ?? computedReset,
            MigrationFirmware = function.MigrationFirmware,
            Acs = function.Capabilities.Acs is not null && KernelGrouping.HasIsolation(function.Capabilities.Acs),
        };
    }

    private static PciKind KindOf(PciTree tree, int index)
    {
        var function = tree.Functions[index];
        if (!function.IsBridge)
            return function.ClassCode >> 8 == 0x0600 ? PciKind.HostBridge : PciKind.Endpoint;
        var above = tree.Parent(index) == PciTree.None ? null : tree.Functions[tree.Parent(index)];
        return function.PortType == ExpressPortType.PcieToPciBridge || DmaAliases.IsHiddenExpressBridge(function, above) ? PciKind.PcieToPciBridge : PciKind.Bridge;
    }

    private void WarnOfNodes(List<PciFunction> functions)
    {
        var known = capacity.Cells.Select(c => c.Node).ToHashSet();
        foreach (var node in functions.Select(f => f.NumaNode).OfType<int>().Distinct().Where(n => known.Count > 0 && !known.Contains(n)).Order())
            warnings.Add(null, $"NUMA node {node} has PCI functions, but no processor or memory is known of it");
    }
}

using System.Collections;
using ControlPlane.Inventory.Configuration;
using ControlPlane.Inventory.Topology;

namespace ControlPlane.Inventory.Grouping;

/// <summary>
/// Makes IOMMU groups as Linux does: drivers/iommu/iommu.c (<c>pci_device_group</c> and what it calls), drivers/pci/search.c
/// (<c>pci_for_each_dma_alias</c>) and drivers/pci/pci.c (<c>pci_acs_enabled</c>), version 6.12. Each function is taken in the order in which
/// the kernel meets it, because a group that exists already decides for those that come later.
/// </summary>
internal sealed class KernelGrouping
{
    private const int None = PciTree.None;

    /// <summary>What was looked at already for one function of the bus: the kernel's bitmap of devfns, which keeps aliases of aliases from going round.</summary>
    [Flags]
    private enum Search : byte
    {
        None = 0,
        Aliases = 1,
        Siblings = 2,
    }

    private readonly PciTree tree;
    private readonly AcsQuirks.Platform platform;
    private readonly int[] groups;
    private readonly BitArray?[] aliases;
    private readonly HashSet<(int Domain, int Bus)> busesWithAliases;
    private readonly Dictionary<int, int> domainMakers;
    private readonly bool?[] isolated;
    private int nextGroup;

    private KernelGrouping(PciTree tree, AcsQuirks.Platform platform, Dictionary<int, int> domainMakers)
    {
        (this.tree, this.platform, this.domainMakers) = (tree, platform, domainMakers);
        groups = new int[tree.Functions.Count];
        Array.Fill(groups, None);
        isolated = new bool?[tree.Functions.Count];
        aliases = [.. tree.Functions.Select(DmaAliases.Of)];
        var makers = domainMakers.Values.ToHashSet();
        busesWithAliases = [.. tree.Functions.Where((_, i) => aliases[i] is not null || makers.Contains(i)).Select(f => (f.Address.Domain, f.Address.Bus))];
    }

    /// <summary>The group of each function of the tree; <see cref="PciTree.None"/> for what no IOMMU translates.</summary>
    /// <param name="domainMakers">By domain, the function that does DMA for all of it (Intel VMD).</param>
    public static int[] Compute(PciTree tree, AcsQuirks.Platform platform, Dictionary<int, int> domainMakers)
    {
        var grouping = new KernelGrouping(tree, platform, domainMakers);
        foreach (var index in tree.ScanOrder)
        {
            if (!AmdIommu.IsUntranslated(tree, index))
                grouping.groups[index] = grouping.GroupFor(index);
        }
        return grouping.groups;
    }

    /// <summary>pci_device_group.</summary>
    private int GroupFor(int index)
    {
        if (FindAliasOrGroup(index, out var highest) is var existing and not None)
            return existing;
        // From the point where aliases end, up to the point where ACS keeps peers apart; a group met on the way is joined.
        var current = highest;
        for (var bridge = tree.Parent(current); bridge != None; bridge = tree.Parent(bridge))
        {
            if (PathIsIsolated(bridge))
                break;
            current = bridge;
            if (groups[current] != None)
                return groups[current];
        }
        Span<Search> seen = stackalloc Search[256];
        if (FindAliasGroup(current, seen) is var aliased and not None)
            return aliased;
        if (FindFunctionGroup(current, seen) is var shared and not None)
            return shared;
        return nextGroup++;
    }

    /// <summary>
    /// pci_for_each_dma_alias with get_pci_alias_or_group: answers a group found on the way, or None and the last function that the
    /// device's DMA can appear to come from.
    /// </summary>
    private int FindAliasOrGroup(int index, out int highest)
    {
        highest = RealDmaFunction(index);
        if (groups[highest] != None)
            return groups[highest];
        for (var bridge = tree.Parent(highest); bridge != None; bridge = tree.Parent(bridge))
        {
            if (PassesRequesterId(bridge))
                continue;
            highest = bridge;
            if (groups[bridge] != None)
                return groups[bridge];
        }
        return None;
    }

    /// <summary>PCI Express ports pass a requester id on; bridges to and from conventional PCI put theirs in its place.</summary>
    private bool PassesRequesterId(int bridge) =>
        tree.Functions[bridge].PortType is not null and not ExpressPortType.PcieToPciBridge and not ExpressPortType.PciToPcieBridge;

    private int RealDmaFunction(int index) => domainMakers.TryGetValue(tree.Functions[index].Address.Domain, out var maker) ? maker : index;

    /// <summary>pci_acs_path_enabled up to the root.</summary>
    private bool PathIsIsolated(int bridge)
    {
        for (var current = bridge; current != None; current = tree.Parent(current))
        {
            if (!IsIsolated(current))
                return false;
        }
        return true;
    }

    /// <summary>pci_acs_enabled for the flags that isolation takes (REQ_ACS_FLAGS); asked often, decided once.</summary>
    private bool IsIsolated(int index) => isolated[index] ??= DecideIsolated(index);

    private bool DecideIsolated(int index)
    {
        var function = tree.Functions[index];
        if (AcsQuirks.Enabled(function, tree.IsMultifunction(index), tree.IsOnRootBus(index), AcsFlags.Isolation, platform) is { } decided)
            return decided;
        return function.PortType switch
        {
            // Conventional PCI: whoever sits on the bus can snoop.
            null => false,
            ExpressPortType.PciToPcieBridge or ExpressPortType.PcieToPciBridge or ExpressPortType.RootComplexEventCollector => false,
            ExpressPortType.DownstreamPort or ExpressPortType.RootPort => HasIsolation(function.Capabilities.Acs),
            ExpressPortType.Endpoint or ExpressPortType.UpstreamPort or ExpressPortType.LegacyEndpoint or ExpressPortType.RootComplexEndpoint
                when tree.IsMultifunction(index) => HasIsolation(function.Capabilities.Acs),
            // A single function has no peer inside its device.
            _ => true,
        };
    }

    /// <summary>pci_acs_flags_enabled: controls that the function does not implement are not asked for.</summary>
    public static bool HasIsolation(AcsCapability? acs)
    {
        if (acs is null)
            return false;
        var wanted = AcsFlags.Isolation & acs.Capable;
        return (acs.Enabled & wanted) == wanted;
    }

    /// <summary>get_pci_alias_group.</summary>
    private int FindAliasGroup(int index, Span<Search> seen)
    {
        var own = DeviceAndFunction(index);
        if ((seen[own] & Search.Aliases) != Search.None)
            return None;
        seen[own] |= Search.Aliases;
        if (groups[index] != None)
            return groups[index];
        if (!busesWithAliases.Contains((tree.Functions[index].Address.Domain, tree.Functions[index].Address.Bus)))
            return None;
        foreach (var other in tree.OnSameBus(index))
        {
            if (other == index || !AreAliases(index, other))
                continue;
            if (FindAliasGroup(other, seen) is var found and not None)
                return found;
            if (FindFunctionGroup(other, seen) is var shared and not None)
                return shared;
        }
        return None;
    }

    /// <summary>get_pci_function_alias_group: functions of one device that are not isolated from each other share a group.</summary>
    private int FindFunctionGroup(int index, Span<Search> seen)
    {
        // A second search would only meet functions whose aliases were searched before.
        var own = DeviceAndFunction(index);
        if ((seen[own] & Search.Siblings) != Search.None || !tree.IsMultifunction(index) || IsIsolated(index))
            return None;
        seen[own] |= Search.Siblings;
        foreach (var other in tree.OnSameBus(index))
        {
            if (other == index || tree.Functions[other].Address.Device != tree.Functions[index].Address.Device || IsIsolated(other))
                continue;
            if (FindAliasGroup(other, seen) is var found and not None)
                return found;
        }
        return None;
    }

    /// <summary>pci_devs_are_dma_aliases, for two functions of one bus.</summary>
    private bool AreAliases(int left, int right) =>
        aliases[left]?[DeviceAndFunction(right)] == true || aliases[right]?[DeviceAndFunction(left)] == true
        || RealDmaFunction(left) == right || RealDmaFunction(right) == left;

    private int DeviceAndFunction(int index) => tree.Functions[index].Address.RoutingId & 0xff;
}

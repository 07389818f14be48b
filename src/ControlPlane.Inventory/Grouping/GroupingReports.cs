using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;
using ControlPlane.Inventory.Topology;

namespace ControlPlane.Inventory.Grouping;

/// <summary>Computes the groups of a tree and compares them with those that its host shows.</summary>
internal static class GroupingReports
{
    // Intel VMD: the endpoint that does DMA for the domain it makes (drivers/pci/controller/vmd.c).
    private static readonly HashSet<ushort> VolumeManagementDevices = [0x201d, 0x28c0, 0x467f, 0x4c3d, 0x7d0b, 0x9a0b, 0xa77f, 0xad0b, 0xb60b, 0xb06f];

    /// <summary>vmd_find_free_domain counts up from the first one that no firmware can give.</summary>
    private const int FirstSoftwareDomain = 0x10000;

    public static GroupingReport Make(PciTree tree, CpuModel cpu, bool hostShowsGroups)
    {
        var limits = new List<string>();
        var platform = new AcsQuirks.Platform(cpu.Vendor is "AMD" or "Hygon" || tree.Functions.Any(AmdIommu.Is), PchPeerDecodeOff(tree));
        var makers = FindDomainMakers(tree, limits);
        var groups = KernelGrouping.Compute(tree, platform, makers);
        AddLimits(tree, platform, limits);
        var computed = new Dictionary<PciAddress, int>();
        for (var i = 0; i < groups.Length; i++)
        {
            if (groups[i] != PciTree.None)
                computed.Add(tree.Functions[i].Address, groups[i]);
        }
        return new GroupingReport(hostShowsGroups, computed, hostShowsGroups ? Compare(tree, computed) : [], limits);
    }

    /// <summary>Groups are compared as sets of functions: their numbers depend on what else was plugged and when.</summary>
    private static List<GroupingDifference> Compare(PciTree tree, Dictionary<PciAddress, int> computed)
    {
        var shown = tree.Functions.Where(f => f.ShownGroup is not null).ToDictionary(f => f.Address, f => f.ShownGroup!.Value);
        var (shownMembers, computedMembers) = (MembersByGroup(shown), MembersByGroup(computed));
        var differences = new List<GroupingDifference>();
        foreach (var address in tree.Functions.Select(f => f.Address))
        {
            var onHost = shown.TryGetValue(address, out var group) ? shownMembers[group] : [];
            var byRules = computed.TryGetValue(address, out group) ? computedMembers[group] : [];
            if (!onHost.SequenceEqual(byRules))
                differences.Add(new GroupingDifference(address, onHost, byRules));
        }
        return differences;
    }

    private static Dictionary<int, List<PciAddress>> MembersByGroup(Dictionary<PciAddress, int> groups) =>
        groups.GroupBy(g => g.Value, g => g.Key).ToDictionary(g => g.Key, g => g.Order().ToList());

    /// <summary>
    /// The kernel switches peer decoding of older Intel PCHs off through registers that the LPC bridge points to
    /// (pci_quirk_enable_intel_lpc_acs: root complex base address, bit 0 is its enable). Unknown bytes count as pointing there.
    /// </summary>
    private static bool PchPeerDecodeOff(PciTree tree) =>
        tree.IndexOf(new PciAddress(0, 0, 0x1f, 0)) is var lpc and not PciTree.None && (tree.Functions[lpc].Space.DoubleWord(0xf0) ?? 1) % 2 == 1;

    private static Dictionary<int, int> FindDomainMakers(PciTree tree, List<string> limits)
    {
        var makers = new Dictionary<int, int>();
        foreach (var function in tree.Functions.Where(f => f.DomainMaker is not null))
        {
            if (tree.IndexOf(function.DomainMaker!.Value) is var maker and not PciTree.None)
                makers.TryAdd(function.Address.Domain, maker);
        }
        var domains = tree.Functions.Select(f => f.Address.Domain).Where(d => d >= FirstSoftwareDomain).Distinct().Order().ToList();
        var unclaimed = domains.Where(d => !makers.ContainsKey(d)).ToList();
        if (unclaimed.Count == 0)
            return makers;
        var candidates = Enumerable.Range(0, tree.Functions.Count)
            .Where(i => tree.Functions[i] is { VendorId: 0x8086 } f && VolumeManagementDevices.Contains(f.DeviceId) && !makers.ContainsValue(i)
                && f.Driver is null or "vmd")
            .ToList();
        foreach (var (domain, maker) in unclaimed.Zip(candidates))
        {
            makers.Add(domain, maker);
            limits.Add($"domain {domain:x} is taken to be made by {tree.Functions[maker].Address} (Intel VMD): its functions do DMA as that one and share its group");
        }
        foreach (var domain in unclaimed.Skip(candidates.Count))
            limits.Add($"domain {domain:x} was made by software, but the description does not show by which device");
        return makers;
    }

    private static void AddLimits(PciTree tree, AcsQuirks.Platform platform, List<string> limits)
    {
        var unseen = tree.Functions.Where(f => !f.KnowsCapabilities).Select(f => f.Address).ToList();
        if (unseen.Count > 0)
            limits.Add($"the capabilities of {unseen.Count} functions ({unseen[0]}…) are not in the description: they count as conventional PCI without isolation, so groups may be larger than on the host");
        var cut = tree.Functions.Count(f => f is { KnowsCapabilities: true, KnowsExtendedCapabilities: false });
        if (cut > 0)
            limits.Add($"the extended capabilities of {cut} functions are not in the description: they count as without Access Control Services, so groups may be larger than on the host");
        if (platform.HasAmdIommu)
            limits.Add("which functions an AMD IOMMU translates, and under which ids, is in the ACPI table IVRS, which no dump shows");
        var ports = tree.Functions.Where(f => f.PortType is ExpressPortType.RootPort or ExpressPortType.DownstreamPort && f.Capabilities.Acs is not null && f.Capabilities.Acs.Capable != AcsFlags.None).ToList();
        if (ports.Count > 0 && ports.All(p => (p.Capabilities.Acs!.Enabled & AcsFlags.Isolation) == AcsFlags.None))
            limits.Add($"{ports.Count} ports can isolate what is below them, and it is off on all: the description was made with the IOMMU off; with it on, groups would be smaller");
    }
}

using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;
using ControlPlane.Inventory.Topology;

namespace ControlPlane.Inventory.Reading;

/// <summary>
/// Finds out who made which virtual function. The host's own word (<c>physfn</c>, libvirt's <c>phys_function</c>) counts first; then the
/// routing ids that follow from the physical function's SR-IOV capability (PCIe base specification, 9.2.1.2). A virtual function shows
/// 0xffff as its ids and takes those of its maker.
/// </summary>
internal static class VirtualFunctions
{
    private const ushort NoId = 0xffff;

    public static void Resolve(Dictionary<PciAddress, FunctionFacts> functions, WarningList warnings)
    {
        foreach (var physical in functions.Values.Where(f => f.Capabilities.Sriov is { VfEnabled: true, VfCount: > 0 }).OrderBy(f => f.Address).ToList())
            ResolveBy(physical, functions, warnings);
        foreach (var orphan in functions.Values.Where(IsOrphan).OrderBy(f => f.Address).ToList())
            functions[orphan.Address] = Adopt(orphan, functions, warnings);
        foreach (var made in functions.Values.Where(f => f.IsVirtual && f.PhysicalFunction is not null).ToList())
            functions[made.Address] = Complete(made, functions);
        foreach (var family in functions.Values.Where(f => f.IsVirtual && f.PhysicalFunction is not null).GroupBy(f => f.PhysicalFunction!.Value).ToList())
            Describe(family.Key, [.. family.OrderBy(f => f.Address)], functions, warnings);
    }

    /// <summary>The routing ids of the functions that a capability describes, as addresses; those that leave the segment are none.</summary>
    public static IEnumerable<PciAddress> AddressesOf(PciAddress physical, SriovRegisters sriov)
    {
        for (var i = 0; i < sriov.VfCount; i++)
        {
            var id = physical.RoutingId + sriov.FirstVfOffset + (i * sriov.VfStride);
            if (id > 0xffff)
                yield break;
            yield return PciAddress.FromRoutingId(physical.Domain, (ushort)id);
        }
    }

    private static void ResolveBy(FunctionFacts physical, Dictionary<PciAddress, FunctionFacts> functions, WarningList warnings)
    {
        var sriov = physical.Capabilities.Sriov!;
        if (sriov.FirstVfOffset == 0 || (sriov.VfStride == 0 && sriov.VfCount > 1))
        {
            warnings.Add(null, $"has {sriov.VfCount} virtual functions at offset {sriov.FirstVfOffset} and stride {sriov.VfStride}, which cannot be; they are left out", physical.Address);
            return;
        }
        var missing = 0;
        foreach (var address in AddressesOf(physical.Address, sriov))
        {
            if (!functions.TryGetValue(address, out var function))
                missing++;
            else if (function.PhysicalFunction is { } other && other != physical.Address)
                warnings.Add(null, $"belongs to {other} by the host's word and to {physical.Address} by its routing id; the host's word counts", address);
            else if (!LooksLike(function, physical, sriov))
                warnings.Add(null, $"has the routing id of a virtual function of {physical.Address}, but the ids {function.VendorId:x4}:{function.DeviceId:x4} of another device; it counts as a device of its own", address);
            else
                functions[address] = function with { IsVirtual = true, PhysicalFunction = physical.Address };
        }
        if (missing > 0)
            warnings.Add(null, $"has {sriov.VfCount} virtual functions switched on; {missing} of them are not in the description", physical.Address);
    }

    private static bool LooksLike(FunctionFacts function, FunctionFacts physical, SriovRegisters sriov) =>
        function.IsVirtual || function.Space.Length >= 4 && function.Space.VendorId == NoId
        || (function.VendorId == physical.VendorId && (function.DeviceId == sriov.VfDeviceId || sriov.VfDeviceId == 0));

    /// <summary>Answers like a virtual function, and nobody is known to have made it.</summary>
    private static bool IsOrphan(FunctionFacts function) =>
        function.PhysicalFunction is null && (function.IsVirtual || (function.Space is { Length: >= ConfigurationSpace.HeaderLength, VendorId: NoId, Header: HeaderType.Endpoint } space && space.ClassCode != 0xffffff));

    /// <summary>
    /// Without the capability of its maker (a dump of 64 bytes) the maker is guessed only where there is one choice: the one function of the
    /// same vendor that comes before it on its bus, or on the bus before.
    /// </summary>
    private static FunctionFacts Adopt(FunctionFacts orphan, Dictionary<PciAddress, FunctionFacts> functions, WarningList warnings)
    {
        var candidates = functions.Values
            .Where(f => !f.IsVirtual && !f.IsBridge && f.PhysicalFunction is null && f.Address < orphan.Address && f.Address.Domain == orphan.Address.Domain
                && orphan.Address.Bus - f.Address.Bus is 0 or 1 && f.Space.VendorId != NoId && f.ClassCode == orphan.ClassCode && !f.KnowsExtendedCapabilities
                && (orphan.VendorId == NoId || orphan.VendorId == f.VendorId))
            .ToList();
        var maker = candidates.Count == 1 ? candidates[0].Address : (PciAddress?)null;
        warnings.Add(
            null,
            maker is null
                ? "answers like a virtual function, but the description does not show which function made it"
                : $"answers like a virtual function; {maker} is taken for its maker, being the only one that can be",
            orphan.Address);
        return orphan with { IsVirtual = true, PhysicalFunction = maker };
    }

    /// <summary>A maker whose own capability is not in the description is known by what it made: that many, that far apart.</summary>
    private static void Describe(PciAddress maker, List<FunctionFacts> made, Dictionary<PciAddress, FunctionFacts> functions, WarningList warnings)
    {
        if (!functions.TryGetValue(maker, out var physical))
        {
            warnings.Add(null, $"has made {made.Count} virtual functions and is described nowhere", maker);
            return;
        }
        var offset = made[0].Address.RoutingId - maker.RoutingId;
        if (physical.Capabilities.Sriov is not null || made[0].Address.Domain != maker.Domain || offset <= 0)
            return;
        var stride = made.Count > 1 ? made[1].Address.RoutingId - made[0].Address.RoutingId : 1;
        functions[maker] = physical with
        {
            Capabilities = physical.Capabilities with
            {
                Sriov = new SriovRegisters(
                    0, VfEnabled: true, VfMemoryEnabled: true, AriHierarchy: false, made.Count, made.Count, made.Count, 0, offset, stride,
                    made[0].DeviceId == NoId ? (ushort)0 : made[0].DeviceId, 0x553, 1, new uint[6]),
            },
        };
        warnings.Add(null, $"has no SR-IOV capability in the description; it is taken for one that can make the {made.Count} virtual functions it has made, and no more", maker);
    }

    private static FunctionFacts Complete(FunctionFacts function, Dictionary<PciAddress, FunctionFacts> functions)
    {
        if (!functions.TryGetValue(function.PhysicalFunction!.Value, out var physical))
            return function;
        var own = function.Capabilities;
        return function with
        {
            VendorId = function.VendorId == NoId ? physical.VendorId : function.VendorId,
            DeviceId = function.DeviceId == NoId && physical.Capabilities.Sriov is { VfDeviceId: not 0 } sriov ? sriov.VfDeviceId : function.DeviceId,
            SubsystemVendorId = function.SubsystemVendorId == 0 ? physical.SubsystemVendorId : function.SubsystemVendorId,
            NumaNode = function.NumaNode ?? physical.NumaNode,
            // The link registers of a virtual function are reserved (9.3.5.5): it shares its maker's link.
            Capabilities = own.Express is { Link: null or { SpeedGTs: 0 } } express
                ? own with { Express = express with { Link = physical.Capabilities.Express?.Link } }
                : own,
        };
    }
}

using ControlPlane.Domain.Pci;

namespace ControlPlane.Hypervisor.Emulated.Iommu;

/// <summary>What the IOMMU knows of one requester.</summary>
/// <param name="AllowsAts">Translation type 01b: translation requests and translated requests of the device are served.</param>
internal sealed record ContextEntry(ProtectionDomain Domain, bool AllowsAts);

/// <summary>
/// The root table of one PCI segment: an entry a bus, each leading to a context table with an entry for each device and function (VT-d 9.1 and
/// 9.3). Tables of buses without an attached function do not exist.
/// </summary>
internal sealed class RootTable
{
    /// <summary>A walk from the root to a context entry reads one entry of each table.</summary>
    public const int References = 2;

    private readonly ContextEntry?[]?[] buses = new ContextEntry?[256][];

    public ContextEntry? this[ushort requesterId]
    {
        get => buses[requesterId >> 8]?[requesterId & 0xff];
        set => (buses[requesterId >> 8] ??= new ContextEntry?[256])[requesterId & 0xff] = value;
    }
}

/// <summary>The root tables of a host, by segment.</summary>
internal sealed class ContextTables
{
    private readonly Dictionary<int, RootTable> roots = [];

    public ContextEntry? this[PciAddress requester]
    {
        get => roots.TryGetValue(requester.Domain, out var root) ? root[requester.RoutingId] : null;
        set
        {
            if (!roots.TryGetValue(requester.Domain, out var root))
                roots[requester.Domain] = root = new RootTable();
            root[requester.RoutingId] = value;
        }
    }

    public void Clear() => roots.Clear();
}

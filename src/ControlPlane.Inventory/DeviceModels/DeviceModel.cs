using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;

namespace ControlPlane.Inventory.DeviceModels;

/// <summary>
/// One kind of PCI function, as its maker builds it: what its configuration space says, and what its hardware has, whatever a host asks of it.
/// The README of this folder documents the files that models come from.
/// </summary>
public sealed record DeviceModel
{
    /// <summary>By which a profile refers to it: a DNS label.</summary>
    public required string Name { get; init; }

    /// <summary>As lspci prints it, without the vendor; null: nobody said.</summary>
    public string? Product { get; init; }

    public required ushort VendorId { get; init; }

    public required ushort DeviceId { get; init; }

    /// <summary>24 bits.</summary>
    public required int ClassCode { get; init; }

    public (ushort VendorId, ushort DeviceId) Subsystem { get; init; }

    public byte Revision { get; init; }

    /// <summary>Linux' driver; null: none.</summary>
    public string? Driver { get; init; }

    public IReadOnlyList<ModelBar> Bars { get; init; } = [];

    public ModelCapabilities Capabilities { get; init; } = new();

    /// <summary>Null: it makes no virtual functions.</summary>
    public ModelSriov? Sriov { get; init; }

    public DeviceLimits Limits { get; init; } = DeviceLimits.Unknown;

    /// <summary>Null: it cannot be cut into mediated devices.</summary>
    public MediatedKinds? Mediated { get; init; }
}

/// <summary>A base address register and the size of what is behind it.</summary>
/// <param name="Index">0 to 5; one of 64 bits takes the next as well.</param>
/// <param name="Bytes">A power of two.</param>
public sealed record ModelBar(int Index, long Bytes, bool IsIo, bool Is64Bit, bool Prefetchable);

/// <summary>The capabilities of a model's function.</summary>
public sealed record ModelCapabilities
{
    /// <summary>Null: no power management; false: the way from D3hot to D0 resets the function.</summary>
    public bool? NoSoftReset { get; init; }

    /// <summary>0: no MSI.</summary>
    public int MsiVectors { get; init; }

    public ModelMsix? Msix { get; init; }

    /// <summary>Null: conventional PCI.</summary>
    public ModelExpress? Express { get; init; }

    public bool AdvancedErrorReporting { get; init; }

    /// <summary>An empty Access Control Services capability: the functions of the device do not reach each other.</summary>
    public bool Acs { get; init; }

    public bool Ari { get; init; }

    /// <summary>Invalidations that its translation cache takes at a time, 1 to 32; null: no Address Translation Services.</summary>
    public int? AtsQueueDepth { get; init; }
}

/// <param name="Vectors">1 to 2048.</param>
/// <param name="Bar">Behind which table and pending bits lie.</param>
public sealed record ModelMsix(int Vectors, int Bar, uint TableOffset, uint PendingOffset);

/// <param name="Type">Endpoint or root complex integrated endpoint.</param>
/// <param name="Link">The widest and fastest that it takes part in; null: an integrated one has none.</param>
public sealed record ModelExpress(ExpressPortType Type, bool FunctionLevelReset, PciLink? Link);

/// <summary>What a physical function says of its virtual ones, and what those have.</summary>
/// <param name="Total">TotalVFs of the capability.</param>
/// <param name="DeviceId">Of the virtual functions.</param>
/// <param name="Offsets">First VF Offset by the number of the physical function; the last one counts for all after it.</param>
public sealed record ModelSriov(int Total, ushort DeviceId, IReadOnlyList<int> Offsets, int Stride)
{
    public string? Product { get; init; }

    public string? Driver { get; init; }

    public IReadOnlyList<ModelBar> Bars { get; init; } = [];

    /// <summary>Null: virtual functions raise no interrupts.</summary>
    public ModelMsix? Msix { get; init; }

    public int? AtsQueueDepth { get; init; }

    public int OffsetOf(int function) => Offsets[Math.Min(function, Offsets.Count - 1)];
}

/// <summary>What a device's hardware has.</summary>
/// <param name="VirtualFunctions">That one physical function can really make, which may be fewer than its capability says.</param>
/// <param name="QueuePairs">For each virtual function.</param>
/// <param name="Pools">Queues into which received frames can be sorted, for virtual functions and VMDq together; 0: it does not sort for the host.</param>
/// <param name="MulticastFilters">Multicast addresses that one virtual function may join.</param>
/// <param name="GuaranteesRates">Whether a virtual function can be promised a least rate.</param>
/// <param name="LinkMbps">Of a port, in Mbit/s.</param>
public sealed record DeviceLimits(int VirtualFunctions, int QueuePairs, int Pools, int MulticastFilters, bool GuaranteesRates, int LinkMbps)
{
    /// <summary>Of a device of which nothing is known: as many functions as PCI Express allows, and no sorting.</summary>
    public static readonly DeviceLimits Unknown = new(65_535, 16, 0, 30, true, 10_000);
}

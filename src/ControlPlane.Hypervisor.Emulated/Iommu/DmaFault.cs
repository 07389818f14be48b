using ControlPlane.Domain.Pci;

namespace ControlPlane.Hypervisor.Emulated.Iommu;

/// <summary>Why the IOMMU let no request through (after the fault reasons of Intel VT-d, tables 25 and 26).</summary>
internal enum DmaFaultReason
{
    /// <summary>The requester has no context entry: its group is attached to no guest (2h).</summary>
    NoDomain,

    /// <summary>The address is mapped nowhere (a second-level entry that permits nothing).</summary>
    NotMapped,

    /// <summary>A write to a page that may only be read (5h).</summary>
    NotWritable,

    /// <summary>A read of a page that may only be written (6h).</summary>
    NotReadable,

    /// <summary>More address bits than four levels translate (4h).</summary>
    AddressTooWide,

    /// <summary>A translated request, or one for a translation, of a device for which ATS is not enabled (Dh).</summary>
    TranslationBlocked,

    /// <summary>An interrupt message in the old format, which names its target freely (25h).</summary>
    InterruptNotRemappable,

    /// <summary>An interrupt index beyond the table (21h).</summary>
    InterruptIndexTooLarge,

    /// <summary>The interrupt's entry is not present (22h).</summary>
    InterruptNotPresent,

    /// <summary>The entry is another device's (26h).</summary>
    InterruptOfAnother,
}

/// <summary>A blocked request.</summary>
/// <param name="Requester">The function that sent it, as its requester id names it: a bridge, for those behind one to conventional PCI.</param>
/// <param name="Address">Where it wanted to go, in the device's address space; of an interrupt, its index in the table in bits 63:48.</param>
internal sealed record DmaFault(DateTimeOffset At, PciAddress Requester, long Address, bool IsWrite, DmaFaultReason Reason);

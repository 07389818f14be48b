using ControlPlane.Domain.Pci;

namespace ControlPlane.Hypervisor.Emulated.Iommu;

/// <summary>Why the IOMMU let no transaction through (after the fault reasons of Intel VT-d, section 7.1.3).</summary>
internal enum DmaFaultReason
{
    /// <summary>The requester's group is attached to no guest.</summary>
    NoDomain,

    /// <summary>The address is mapped nowhere.</summary>
    NotMapped,

    /// <summary>A write to a page that may only be read.</summary>
    NotWritable,
}

/// <summary>A blocked transaction.</summary>
/// <param name="Requester">The function that sent it.</param>
/// <param name="Address">Where it wanted to go, in the device's address space.</param>
/// <param name="IsWrite">False: it wanted to read.</param>
internal sealed record DmaFault(DateTimeOffset At, PciAddress Requester, long Address, bool IsWrite, DmaFaultReason Reason);

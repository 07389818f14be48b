using ControlPlane.Hypervisor.Emulated.Iommu;
using ControlPlane.Hypervisor.Emulated.Pci;

namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>A function's way to memory: as bus master, under its own requester id, through the IOMMU.</summary>
/// <param name="frozen">True while the VMM keeps the device from running (the last moment of a migration).</param>
internal sealed class DmaPort(EmulatedFunction function, DmaRemapper iommu, NicCounters counters, Func<bool> frozen)
{
    public bool Read(long address, Span<byte> into)
    {
        counters.Count(NicCount.DmaReads);
        return Passed(MayMaster && iommu.Read(function.Address, function.IommuGroup, address, into));
    }

    public bool Write(long address, ReadOnlySpan<byte> data)
    {
        counters.Count(NicCount.DmaWrites);
        return Passed(MayMaster && iommu.Write(function.Address, function.IommuGroup, address, data));
    }

    private bool MayMaster => !frozen() && function.CanMaster;

    private bool Passed(bool passed)
    {
        if (!passed)
            counters.Count(NicCount.DmaFaults);
        return passed;
    }
}

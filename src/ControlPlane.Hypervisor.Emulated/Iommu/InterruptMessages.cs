namespace ControlPlane.Hypervisor.Emulated.Iommu;

/// <summary>Interrupt messages as writes to memory: the old format and the one that names an entry of the remapping table (VT-d 5.1.2).</summary>
internal static class InterruptMessages
{
    private const long Base = 0xfee0_0000;
    private const long RemappableFormat = 0x10;

    public static bool IsAddress(long address) => (address & ~0xf_ffffL) == Base;

    /// <summary>Where a device writes to name an entry; bits 19:5 and 2 hold the index.</summary>
    public static long AddressOf(int index) => Base | RemappableFormat | ((index & 0x7fffL) << 5) | ((index & 0x8000L) >> 13);

    /// <summary>The entry that an address names; null: the message says itself whom it interrupts.</summary>
    public static int? IndexOf(long address)
    {
        var low = (int)(address & 0xf_ffff);
        return (low & (int)RemappableFormat) == 0 ? null : ((low >> 5) & 0x7fff) | (((low >> 2) & 1) << 15);
    }
}

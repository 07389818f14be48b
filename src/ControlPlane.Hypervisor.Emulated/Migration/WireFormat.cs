using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Migration;

/// <summary>What pages take on the wire.</summary>
internal static class WireFormat
{
    /// <summary>A page of zeros is its address and a fill byte (QEMU: <c>save_zero_page</c>).</summary>
    public const int ZeroPageBytes = 9;

    public static long BytesOf(long pages, long zeroPages) => ((pages - zeroPages) * GuestMemory.PageBytes) + (zeroPages * ZeroPageBytes);
}

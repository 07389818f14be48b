using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Iommu;

/// <summary>
/// How a device that puts out fewer address bits than memory has reaches high memory where nothing translates for it: what it reads is copied
/// to a low buffer before, what it wrote is copied from there afterwards (Linux: swiotlb).
/// </summary>
/// <param name="mask">The highest address that the device can put out.</param>
/// <param name="firstPage">Where the pool lies, below the mask.</param>
internal sealed class BounceBuffers(GuestMemory memory, long mask, long firstPage, int pages) : ICounting
{
    private readonly bool[] used = new bool[pages];

    public long DirectMappings { get; private set; }

    public long BouncedMappings { get; private set; }

    public long CopiedBytes { get; private set; }

    /// <summary>The address to give to the device for a buffer within one page; null: the pool is used up.</summary>
    /// <param name="toDevice">The device will read it.</param>
    public long? Map(long address, int length, bool toDevice)
    {
        if (address + length - 1 <= mask)
        {
            DirectMappings++;
            return address;
        }
        var page = Array.IndexOf(used, false);
        if (page < 0)
            return null;
        used[page] = true;
        BouncedMappings++;
        var low = ((firstPage + page) * GuestMemory.PageBytes) + (address % GuestMemory.PageBytes);
        if (toDevice)
            Copy(address, low, length);
        return low;
    }

    /// <summary>The device is done with the buffer.</summary>
    /// <param name="fromDevice">It has written to it.</param>
    public void Unmap(long address, long mapped, int length, bool fromDevice)
    {
        if (mapped == address)
            return;
        if (fromDevice)
            Copy(mapped, address, length);
        used[(mapped / GuestMemory.PageBytes) - firstPage] = false;
    }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("bounce", "direct-mappings", DirectMappings);
        sheet.Add("bounce", "bounced-mappings", BouncedMappings);
        sheet.Add("bounce", "copied-bytes", CopiedBytes);
    }

    private void Copy(long source, long target, int length)
    {
        Span<byte> bytes = stackalloc byte[length];
        memory.Read(source, bytes);
        memory.Write(target, bytes);
        CopiedBytes += length;
    }
}

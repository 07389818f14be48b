using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Iommu;

/// <summary>
/// How the same device reaches high memory through remapping: each buffer gets an address below the device's limit for the time of its
/// transfer (Linux: dma-iommu). Nothing is copied, but each buffer that goes is an invalidation.
/// </summary>
/// <param name="mask">The highest address that the device can put out.</param>
internal sealed class IovaMappings(DmaRemapper iommu, ProtectionDomain domain, long mask) : ICounting
{
    private readonly Stack<long> free = new();
    private long next = (mask / Memory.GuestMemory.PageBytes) + 1;

    public long Mappings { get; private set; }

    public long Unmappings { get; private set; }

    /// <summary>The page of the device's address space that leads to the frame: from the top down, as Linux gives them out.</summary>
    public long Map(long frame, bool writable)
    {
        var page = free.TryPop(out var reused) ? reused : Next();
        if (page < 0)
            throw new InvalidOperationException("The device's address space is used up.");
        domain.Map(page, frame, 1, writable);
        Mappings++;
        return page;
    }

    public void Unmap(long page)
    {
        iommu.Unmap(domain, page, 1);
        free.Push(page);
        Unmappings++;
    }

    /// <summary>Writes to the interrupt controllers' addresses are no accesses to memory, so nothing is mapped there.</summary>
    private long Next()
    {
        do
            next--;
        while (InterruptMessages.IsAddress(next * Memory.GuestMemory.PageBytes));
        return next;
    }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("iova", "mappings", Mappings);
        sheet.Add("iova", "unmappings", Unmappings);
    }
}

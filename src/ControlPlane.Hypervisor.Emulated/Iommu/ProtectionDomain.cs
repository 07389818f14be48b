using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Iommu;

/// <summary>
/// What the devices of one guest may reach: page tables from the addresses that they use (guest-physical ones) to host frames. Devices of one
/// domain share what the IOMMU has cached of it, by the domain's id.
/// </summary>
/// <param name="memory">Of the host, in whose frames the tables lie.</param>
internal sealed class ProtectionDomain(HostMemory memory) : ICounting
{
    /// <summary>In context entries and in the tags of the IOTLB; 0: it has none, being attached to nothing.</summary>
    public int Id { get; set; }

    public SecondLevelTables Tables { get; } = new(memory);

    public long ReadCount { get; set; }

    public long WriteCount { get; set; }

    /// <summary>Pages mapped in all.</summary>
    public long MappedPages => Tables.MappedPages;

    /// <summary>Maps pages of the device's address space to host frames; a page that is mapped already is a bug of the VMM.</summary>
    public void Map(long firstPage, long firstFrame, long pages, bool writable) =>
        Tables.Map(firstPage, firstFrame, pages, readable: true, writable);

    /// <summary>
    /// Takes pages out of the tables. What the IOMMU and devices have cached of them is used until it is invalidated:
    /// <see cref="DmaRemapper.Unmap"/> does both.
    /// </summary>
    public void Unmap(long firstPage, long pages) => Tables.Unmap(firstPage, pages);

    /// <summary>The host frame behind a page; null when nothing is mapped there.</summary>
    public (long Frame, bool Writable)? Translate(long page) =>
        Tables.Walk(page, out _) is { } found ? (found.Frame, found.Writable) : null;

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("dma", "reads", ReadCount);
        sheet.Add("dma", "writes", WriteCount);
        sheet.Add("dma", "mapped-pages", MappedPages);
        sheet.Add("dma", "table-bytes", Tables.Bytes);
    }
}

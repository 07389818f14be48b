using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Iommu;

/// <summary>
/// The address translation cache inside a device with ATS (PCI Express base specification 10): it asks the IOMMU for translations and then sends
/// requests that are translated already, which the IOMMU lets through unseen. Who takes a page away must make the device forget it.
/// </summary>
internal sealed class DeviceTlb : ICounting
{
    /// <summary>The device serves one domain, so its cache needs no other tag.</summary>
    private const int Tag = 1;

    private readonly Iotlb cache = new("device-tlb", sets: 16);

    /// <summary>A translation that the device holds.</summary>
    public bool TryFind(long page, out Translation translation) => cache.TryFind(Tag, page, out translation);

    public void Keep(long page, Translation translation) => cache.Add(Tag, page, translation);

    public void Invalidate(long firstPage, long pages) => cache.InvalidatePages(Tag, firstPage, pages);

    public void InvalidateAll() => cache.InvalidateAll();

    public void CountInto(CounterSheet sheet) => cache.CountInto(sheet);
}

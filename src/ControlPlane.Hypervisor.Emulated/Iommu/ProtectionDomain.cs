namespace ControlPlane.Hypervisor.Emulated.Iommu;

/// <summary>
/// What the devices of one guest may reach: a map from the addresses they use (guest-physical ones) to host frames, page by page. Kept as
/// stretches, since a guest's memory is one or a few of them.
/// </summary>
internal sealed class ProtectionDomain
{
    private readonly SortedList<long, Stretch> stretches = [];

    /// <summary>Pages mapped in all.</summary>
    public long MappedPages => stretches.Values.Sum(s => s.Pages);

    /// <summary>Maps pages of the device's address space to host frames; a page that is mapped already is a bug of the VMM.</summary>
    public void Map(long firstPage, long firstFrame, long pages, bool writable)
    {
        for (var page = firstPage; page < firstPage + pages;)
        {
            if (Find(page) is not null)
                throw new InvalidOperationException($"Page {page:x} is mapped already.");
            var next = NextStart(page);
            page = Math.Min(next, firstPage + pages);
        }
        stretches.Add(firstPage, new Stretch(firstPage, firstFrame, pages, writable));
    }

    /// <summary>Takes pages out again; a stretch that is hit in the middle is split.</summary>
    public void Unmap(long firstPage, long pages)
    {
        var end = firstPage + pages;
        foreach (var stretch in stretches.Values.Where(s => s.First < end && s.First + s.Pages > firstPage).ToArray())
        {
            stretches.Remove(stretch.First);
            if (stretch.First < firstPage)
                stretches.Add(stretch.First, stretch with { Pages = firstPage - stretch.First });
            var stretchEnd = stretch.First + stretch.Pages;
            if (stretchEnd > end)
                stretches.Add(end, new Stretch(end, stretch.Frame + (end - stretch.First), stretchEnd - end, stretch.Writable));
        }
    }

    /// <summary>The host frame behind a page; null when nothing is mapped there.</summary>
    public (long Frame, bool Writable)? Translate(long page) =>
        Find(page) is { } stretch ? (stretch.Frame + (page - stretch.First), stretch.Writable) : null;

    private Stretch? Find(long page)
    {
        var index = IndexAtOrBefore(page);
        if (index < 0)
            return null;
        var stretch = stretches.Values[index];
        return page < stretch.First + stretch.Pages ? stretch : null;
    }

    private long NextStart(long page)
    {
        var index = IndexAtOrBefore(page) + 1;
        return index < stretches.Count ? stretches.Keys[index] : long.MaxValue;
    }

    private int IndexAtOrBefore(long page)
    {
        var (low, high) = (0, stretches.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (stretches.Keys[middle] <= page)
                low = middle + 1;
            else
                high = middle - 1;
        }
        return high;
    }

    private sealed record Stretch(long First, long Frame, long Pages, bool Writable);
}

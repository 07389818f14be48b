using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Iommu;

/// <summary>
/// Translations that were walked, tagged by domain (VT-d 6.2.4). An entry is used until it is invalidated or has to make room: what the tables
/// say meanwhile does not matter.
/// </summary>
internal sealed class Iotlb(string group, int sets = 64) : ICounting
{
    private const int Ways = 4;

    private readonly Entry[] entries = new Entry[sets * Ways];
    private readonly byte[] nextWay = new byte[sets];

    public long Hits { get; private set; }

    public long Misses { get; private set; }

    public long Evictions { get; private set; }

    public long InvalidatedEntries { get; private set; }

    public bool TryFind(int domain, long page, out Translation translation)
    {
        for (var level = 1; level <= 3; level++)
        {
            var first = page & ~(SecondLevelTables.SpanOf(level) - 1);
            foreach (ref readonly var entry in entries.AsSpan(SetOf(domain, first, level) * Ways, Ways))
            {
                if (entry.Domain != domain || entry.First != first || entry.Level != level)
                    continue;
                Hits++;
                translation = new Translation(entry.Frame + (page - first), entry.Readable, entry.Writable, level);
                return true;
            }
        }
        Misses++;
        translation = default;
        return false;
    }

    /// <summary>Keeps what a walk found, in the place of the entry that has been in its set longest, or of the one that it replaces.</summary>
    public void Add(int domain, long page, Translation found)
    {
        var span = SecondLevelTables.SpanOf(found.Level);
        var first = page & ~(span - 1);
        var set = SetOf(domain, first, found.Level);
        var places = entries.AsSpan(set * Ways, Ways);
        var way = -1;
        for (var i = 0; i < Ways && way < 0; i++)
        {
            if (places[i].Domain == domain && places[i].First == first && places[i].Level == found.Level)
                way = i;
        }
        if (way < 0)
        {
            way = nextWay[set]++ % Ways;
            Evictions += places[way].Domain == 0 ? 0 : 1;
        }
        places[way] = new Entry(domain, first, found.Frame - (page - first), (byte)found.Level, found.Readable, found.Writable);
    }

    public void InvalidateAll()
    {
        foreach (ref var entry in entries.AsSpan())
            Drop(ref entry);
    }

    public void InvalidateDomain(int domain)
    {
        foreach (ref var entry in entries.AsSpan())
        {
            if (entry.Domain == domain)
                Drop(ref entry);
        }
    }

    public void InvalidatePages(int domain, long firstPage, long pages)
    {
        foreach (ref var entry in entries.AsSpan())
        {
            if (entry.Domain == domain && entry.First < firstPage + pages && entry.First + SecondLevelTables.SpanOf(entry.Level) > firstPage)
                Drop(ref entry);
        }
    }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add(group, "hits", Hits);
        sheet.Add(group, "misses", Misses);
        sheet.Add(group, "evictions", Evictions);
        sheet.Add(group, "invalidated-entries", InvalidatedEntries);
    }

    private void Drop(ref Entry entry)
    {
        if (entry.Domain != 0)
            InvalidatedEntries++;
        entry = default;
    }

    private int SetOf(int domain, long first, int level) =>
        (int)((((ulong)(first >> ((level - 1) * 9)) ^ ((ulong)domain << 7)) * 0x9e37_79b9_7f4a_7c15UL) >> 40) & (sets - 1);

    private readonly record struct Entry(int Domain, long First, long Frame, byte Level, bool Readable, bool Writable);
}

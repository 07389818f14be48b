using System.Numerics;

namespace ControlPlane.Hypervisor.Emulated.Memory;

/// <summary>A set of pages of one guest, kept in chunks so that untouched and wholly set stretches of a large memory cost nothing.</summary>
internal sealed class PageBitmap
{
    /// <summary>128 MiB of 4 KiB pages.</summary>
    private const int ChunkPages = 32768;

    private static readonly ulong[] Full = [.. Enumerable.Repeat(ulong.MaxValue, ChunkPages / 64)];

    private readonly ulong[]?[] chunks;

    public PageBitmap(long pages)
    {
        Pages = pages;
        chunks = new ulong[]?[(pages + ChunkPages - 1) / ChunkPages];
    }

    public long Pages { get; }

    /// <summary>How many pages are in the set.</summary>
    public long Count { get; private set; }

    public bool Contains(long page)
    {
        var chunk = chunks[page / ChunkPages];
        var within = (int)(page % ChunkPages);
        return chunk is not null && (chunk[within >> 6] & (1UL << (within & 63))) != 0;
    }

    public void Add(long page)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((ulong)page, (ulong)Pages, nameof(page));
        ref var chunk = ref chunks[page / ChunkPages];
        if (ReferenceEquals(chunk, Full))
            return;
        chunk ??= new ulong[ChunkPages / 64];
        var within = (int)(page % ChunkPages);
        var bit = 1UL << (within & 63);
        if ((chunk[within >> 6] & bit) != 0)
            return;
        chunk[within >> 6] |= bit;
        Count++;
    }

    public void AddRange(long first, long count)
    {
        for (var page = first; page < first + count;)
        {
            var left = first + count - page;
            if (page % ChunkPages == 0 && left >= ChunkPages)
            {
                var index = page / ChunkPages;
                Count += ChunkPages - CountIn(chunks[index]);
                chunks[index] = Full;
                page += ChunkPages;
            }
            else
            {
                Add(page++);
            }
        }
    }

    /// <summary>The first page of the set from the given one on; -1 when there is none.</summary>
    public long Next(long page)
    {
        for (; page < Pages; page = ((page / ChunkPages) + 1) * ChunkPages)
        {
            if (chunks[page / ChunkPages] is not { } chunk)
                continue;
            var within = (int)(page % ChunkPages);
            for (var word = within >> 6; word < chunk.Length; word++)
            {
                var left = word == within >> 6 ? chunk[word] & (ulong.MaxValue << (within & 63)) : chunk[word];
                if (left == 0)
                    continue;
                var found = (page / ChunkPages * ChunkPages) + (word << 6) + BitOperations.TrailingZeroCount(left);
                return found < Pages ? found : -1;
            }
        }
        return -1;
    }

    /// <summary>Every page of the guest.</summary>
    public static PageBitmap All(long pages)
    {
        var all = new PageBitmap(pages);
        all.AddRange(0, pages);
        return all;
    }

    private static long CountIn(ulong[]? chunk)
    {
        long count = 0;
        foreach (var word in chunk ?? [])
            count += BitOperations.PopCount(word);
        return count;
    }
}

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

    /// <summary>False when the page was not in the set.</summary>
    public bool Remove(long page)
    {
        if (!Contains(page))
            return false;
        ref var chunk = ref chunks[page / ChunkPages];
        if (ReferenceEquals(chunk, Full))
            chunk = [.. Full];
        var within = (int)(page % ChunkPages);
        chunk![within >> 6] &= ~(1UL << (within & 63));
        Count--;
        return true;
    }

    /// <summary>Takes the lowest so many pages out.</summary>
    public void RemoveFirst(long count)
    {
        for (var index = 0; index < chunks.Length && count > 0; index++)
        {
            if (chunks[index] is not { } chunk)
                continue;
            var within = CountIn(chunk);
            if (within <= count)
            {
                chunks[index] = null;
                Count -= within;
                count -= within;
                continue;
            }
            if (ReferenceEquals(chunk, Full))
                chunks[index] = chunk = [.. Full];
            for (var word = 0; count > 0; word++)
            {
                for (; chunk[word] != 0 && count > 0; count--, Count--)
                    chunk[word] &= chunk[word] - 1;
            }
        }
    }

    public void AddAll(PageBitmap other)
    {
        for (var index = 0; index < chunks.Length; index++)
        {
            if (other.chunks[index] is not { } added)
                continue;
            var before = CountIn(chunks[index]);
            var sum = new ulong[ChunkPages / 64];
            for (var word = 0; word < sum.Length; word++)
                sum[word] = added[word] | (chunks[index]?[word] ?? 0);
            chunks[index] = sum;
            Count += CountIn(sum) - before;
        }
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

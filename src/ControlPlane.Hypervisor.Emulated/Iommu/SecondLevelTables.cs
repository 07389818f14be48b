using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Iommu;

/// <summary>What a walk found.</summary>
/// <param name="Frame">The host frame of the 4 KiB page that was asked for.</param>
/// <param name="Level">1: the page is 4 KiB, 2: 2 MiB, 3: 1 GiB.</param>
internal readonly record struct Translation(long Frame, bool Readable, bool Writable, int Level)
{
    public bool Allows(bool write) => write ? Writable : Readable;
}

/// <summary>
/// The second-level page tables of one domain, in host frames: four levels of 512 entries, for 48 bits of address (VT-d 3.7). An entry has read and
/// write permission in bits 0 and 1, in bit 7 whether it maps a large page, and from bit 12 on a frame or the next table's.
/// </summary>
internal sealed class SecondLevelTables(HostMemory memory)
{
    /// <summary>Where the root's frame stands when there is none any more.</summary>
    private const long Released = -1;

    public const int Levels = 4;

    /// <summary>Pages of 4 KiB that four levels address.</summary>
    public const long MaxPages = 1L << (Levels * Bits);

    private const int Bits = 9;
    private const int Entries = 1 << Bits;
    private const ulong Read = 1;
    private const ulong Write = 2;
    private const ulong Large = 0x80;

    private long root = memory.AllocateTable();
    private long frames = 1;

    public long MappedPages { get; private set; }

    /// <summary>Memory that the tables take.</summary>
    public long Bytes => frames * GuestMemory.PageBytes;

    /// <summary>Maps with the largest pages that both addresses are aligned to.</summary>
    /// <exception cref="InvalidOperationException">A page is mapped already.</exception>
    public void Map(long page, long frame, long pages, bool readable, bool writable)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)(page + pages), (ulong)MaxPages, nameof(page));
        for (var at = page; at < page + pages;)
        {
            if (Lookup(at, out var span) is not null)
                throw new InvalidOperationException($"Page {at:x} is mapped already.");
            at = Math.Min((at & ~(span - 1)) + span, page + pages);
        }
        var permissions = (readable ? Read : 0) | (writable ? Write : 0);
        while (pages > 0)
        {
            var level = LevelFor(page, frame, pages);
            var span = SpanOf(level);
            Slot(page, level) = ((ulong)frame << 12) | permissions | (level > 1 ? Large : 0);
            MappedPages += span;
            (page, frame, pages) = (page + span, frame + span, pages - span);
        }
    }

    /// <summary>Takes pages out; a large page that is hit in the middle is split, and tables that became empty are given back.</summary>
    public void Unmap(long page, long pages)
    {
        for (var end = page + pages; page < end;)
        {
            var found = Lookup(page, out var span);
            var start = page & ~(span - 1);
            if (found is { } translation)
            {
                if (start < page || start + span > end)
                {
                    Split(page, translation);
                    continue;
                }
                Slot(start, translation.Level) = 0;
                MappedPages -= span;
            }
            page = start + span;
        }
        Prune(root, Levels);
    }

    /// <summary>The domain's guest is gone: the tables' frames go back to the host.</summary>
    public void Release()
    {
        if (root == Released)
            return;
        FreeBelow(root, Levels);
        memory.FreeTable(root);
        (root, frames, MappedPages) = (Released, 0, 0);
    }

    /// <summary>Walks the tables as the hardware does.</summary>
    /// <param name="references">Entries that were read.</param>
    public Translation? Walk(long page, out int references)
    {
        references = 0;
        if (root == Released)
            return null;
        var table = memory.TableAt(root);
        for (var level = Levels; ; level--)
        {
            var entry = table[IndexOf(page, level)];
            references++;
            if ((entry & (Read | Write)) == 0)
                return null;
            if (level == 1 || (entry & Large) != 0)
            {
                var frame = (long)(entry >> 12) + (page & (SpanOf(level) - 1));
                return new Translation(frame, (entry & Read) != 0, (entry & Write) != 0, level);
            }
            table = memory.TableAt((long)(entry >> 12));
        }
    }

    /// <summary>How many 4 KiB pages an entry of the level maps.</summary>
    public static long SpanOf(int level) => 1L << ((level - 1) * Bits);

    private static int IndexOf(long page, int level) => (int)(page >> ((level - 1) * Bits)) & (Entries - 1);

    private static int LevelFor(long page, long frame, long pages)
    {
        for (var level = 3; level > 1; level--)
        {
            if (((page | frame) & (SpanOf(level) - 1)) == 0 && pages >= SpanOf(level))
                return level;
        }
        return 1;
    }

    /// <param name="span">Of the page that was found, or of the hole as far as the tables tell.</param>
    private Translation? Lookup(long page, out long span)
    {
        var found = Walk(page, out var references);
        span = SpanOf(found?.Level ?? (Levels - references + 1));
        return found;
    }

    /// <summary>The entry of a level, tables on the way made.</summary>
    private ref ulong Slot(long page, int level)
    {
        var table = memory.TableAt(root);
        for (var at = Levels; at > level; at--)
        {
            ref var entry = ref table[IndexOf(page, at)];
            if (entry == 0)
                entry = ((ulong)NewTable() << 12) | Read | Write;
            table = memory.TableAt((long)(entry >> 12));
        }
        return ref table[IndexOf(page, level)];
    }

    private long NewTable()
    {
        frames++;
        return memory.AllocateTable();
    }

    private void FreeTable(long frame)
    {
        frames--;
        memory.FreeTable(frame);
    }

    /// <summary>Puts a table of smaller pages in a large page's place.</summary>
    private void Split(long page, Translation large)
    {
        var level = large.Level;
        var first = large.Frame - (page & (SpanOf(level) - 1));
        ref var entry = ref Slot(page, level);
        var permissions = entry & (Read | Write);
        var frame = NewTable();
        var smaller = memory.TableAt(frame);
        for (var i = 0; i < Entries; i++)
            smaller[i] = ((ulong)(first + (i * SpanOf(level - 1))) << 12) | permissions | (level > 2 ? Large : 0);
        entry = ((ulong)frame << 12) | Read | Write;
    }

    /// <returns>True when nothing is in the table.</returns>
    private bool Prune(long table, int level)
    {
        var isEmpty = true;
        foreach (ref var entry in memory.TableAt(table))
        {
            if (entry != 0 && level > 1 && (entry & Large) == 0 && Prune((long)(entry >> 12), level - 1))
            {
                FreeTable((long)(entry >> 12));
                entry = 0;
            }
            isEmpty &= entry == 0;
        }
        return isEmpty;
    }

    private void FreeBelow(long table, int level)
    {
        foreach (var entry in memory.TableAt(table))
        {
            if (entry == 0 || level == 1 || (entry & Large) != 0)
                continue;
            FreeBelow((long)(entry >> 12), level - 1);
            FreeTable((long)(entry >> 12));
        }
    }
}

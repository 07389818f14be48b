using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Paging;

/// <summary>
/// One guest's extended page tables (SDM volume 3, 29.3), in host frames: from guest-physical to host-physical addresses. A page is mapped when
/// the guest first touches it, which it notices as an EPT violation.
/// </summary>
/// <remarks>
/// While writes are logged, pages are mapped by 4 KiB, since a large page's dirty flag says too little: large leaves lose their write permission, and
/// the first write to one splits it (KVM does the same). Each dirty flag that goes from 0 to 1 puts its page into the page-modification log (29.3.6);
/// a full log is an exit.
/// </remarks>
internal sealed class ExtendedPageTables(
    HostMemory host, GuestMemory guest, long firstFrame, ExitCounters exits, PageFormat format, int leafLevel) : IWriteTracker
{
    /// <summary>Of walks that are nobody's TLB miss.</summary>
    private readonly WalkCounters uncounted = new();

    /// <summary>While writes are logged: of each stretch that a leaf table maps, its frame, once it was needed; 0: not yet. CPUs cache this too (SDM 28.4.3).</summary>
    private long[]? leafTables;

    private long root = -1;
    private long log = -1;
    private int logged;
    private bool logging;

    /// <summary>The VMM changed mappings: what CPUs remember of them has to go (INVEPT).</summary>
    public Action Invalidate { get; set; } = () => { };

    public long TableFrames { get; private set; }

    public long Violations { get; private set; }

    /// <summary>Large pages that were split because their writes are logged.</summary>
    public long Splits { get; private set; }

    public long LoggedWrites { get; private set; }

    public PageFormat Format => format;

    /// <summary>Translates a guest-physical address as the CPU does. What has been written to by it is in the log.</summary>
    public PageWalk Walk(long address, PageAccess access, WalkCounters counters)
    {
        if (root < 0)
            root = NewTable();
        var walk = PageWalker.Walk(host, format, root * GuestMemory.PageBytes, address, access, counters);
        if (walk.DirtyWasSet && logging)
            Log(address);
        return walk;
    }

    /// <summary>A CPU of the guest writes to a page, whatever address it has for it.</summary>
    public void WritePage(long page)
    {
        if (leafTables is null || FindLeafTable(page) is not (> 0 and var frame))
        {
            Reach(page << PageFormat.PageShift, uncounted);
            return;
        }
        ref var entry = ref host.TableAt(frame)[(int)(page & (format.EntriesPerTable - 1))];
        if (!format.IsPresent(entry))
        {
            CountViolation();
            entry = LeafOf(page);
        }
        if ((entry & format.Dirty) != 0)
            return;
        entry |= format.Accessed | format.Dirty;
        Log(page << PageFormat.PageShift);
    }

    /// <summary>Where a guest-physical address that is written to is in the host, mapped for it when it was not.</summary>
    public long Reach(long address, WalkCounters counters)
    {
        while (true)
        {
            var walk = Walk(address, PageAccess.Write, counters);
            if (walk.End == WalkEnd.Mapped)
                return walk.Address;
            OnViolation(address);
        }
    }

    /// <summary>The VMM's part of an EPT violation: maps the page, or takes a large one apart whose writes are logged.</summary>
    public void OnViolation(long address)
    {
        CountViolation();
        if ((ulong)address >= (ulong)guest.Bytes)
            throw new InvalidOperationException($"The guest has no memory at {address:x}.");
        var found = Walk(address, PageAccess.Look, uncounted);
        if (found.End == WalkEnd.NotPresent)
            Map(address, found);
        else if (found.Level > 1)
            Split(found);
    }

    private void CountViolation()
    {
        exits.Count(ExitReason.EptViolation);
        Violations++;
    }

    private ulong LeafOf(long page) => format.Leaf((firstFrame + page) << PageFormat.PageShift, 1);

    public void StartLogging()
    {
        logging = true;
        logged = 0;
        if (log < 0)
            log = NewTable();
        leafTables = new long[(guest.Pages + format.EntriesPerTable - 1) / format.EntriesPerTable];
        ForEachLeaf((entry, level) => level > 1 ? entry & ~(PageFormat.Writable | format.Dirty) : entry & ~format.Dirty);
        Invalidate();
    }

    /// <summary>What was split comes back as large pages when the guest touches it again.</summary>
    public void StopLogging()
    {
        logging = false;
        leafTables = null;
        FreeTable(ref log);
        if (leafLevel > 1)
            FreeMappings();
        Invalidate();
    }

    public void Drain()
    {
        foreach (var address in log < 0 ? [] : host.TableAt(log)[..logged])
            guest.LogWrite((long)address >> PageFormat.PageShift);
        logged = 0;
    }

    public void Rearm(PageBitmap taken)
    {
        for (var page = taken.Next(0); page >= 0; page = taken.Next(page + 1))
        {
            if (FindLeafTable(page) is > 0 and var frame)
                host.TableAt(frame)[(int)(page & (format.EntriesPerTable - 1))] &= ~format.Dirty;
        }
        Invalidate();
    }

    /// <summary>The guest is off: all frames go back to the host.</summary>
    public void Release()
    {
        logging = false;
        leafTables = null;
        FreeTable(ref log);
        FreeMappings();
    }

    /// <summary>The frame of the leaf table that maps a page; 0 when none does.</summary>
    private long FindLeafTable(long page)
    {
        ref var frame = ref leafTables![page / format.EntriesPerTable];
        if (frame == 0 && Walk(page << PageFormat.PageShift, PageAccess.Look, uncounted) is { Level: 1 } found)
            frame = found.EntryAddress / GuestMemory.PageBytes;
        return frame;
    }

    private void FreeMappings()
    {
        if (root >= 0)
            FreeBelow(root, format.Levels);
        root = -1;
    }

    private void Log(long address)
    {
        host.TableAt(log)[logged++] = (ulong)(address >> PageFormat.PageShift << PageFormat.PageShift);
        LoggedWrites++;
        if (logged < GuestMemory.PageBytes / sizeof(ulong))
            return;
        exits.Count(ExitReason.PageModificationLogFull);
        Drain();
    }

    private void Map(long address, PageWalk missing)
    {
        var level = LeafLevelAt(address);
        var (entryAddress, at) = (missing.EntryAddress, missing.Level);
        for (; at > level; at--)
        {
            var table = NewTable() * GuestMemory.PageBytes;
            host.WriteEntry(entryAddress, format.EntryBytes, format.Branch(table));
            entryAddress = format.EntryAddress(table, address, at - 1);
        }
        var page = address >> format.ShiftOf(at) << format.ShiftOf(at);
        host.WriteEntry(entryAddress, format.EntryBytes, format.Leaf((firstFrame << PageFormat.PageShift) + page, at));
    }

    /// <summary>The largest leaf that the guest's memory and its frames have room for, or 4 KiB while writes are logged.</summary>
    private int LeafLevelAt(long address)
    {
        var level = logging ? 1 : leafLevel;
        for (; level > 1; level--)
        {
            var pages = format.PagesOf(level);
            var first = (address >> PageFormat.PageShift) & -pages;
            if (first + pages <= guest.Pages && (firstFrame + first) % pages == 0)
                break;
        }
        return level;
    }

    private void Split(PageWalk large)
    {
        Splits++;
        var table = NewTable();
        var (below, address) = (large.Level - 1, format.AddressOf(large.Entry));
        var entries = host.TableAt(table);
        for (var i = 0; i < format.EntriesPerTable; i++)
        {
            var leaf = format.Leaf(address + ((long)i << format.ShiftOf(below)), below) | (large.Entry & format.Accessed);
            entries[i] = below > 1 ? leaf & ~PageFormat.Writable : leaf;
        }
        host.WriteEntry(large.EntryAddress, format.EntryBytes, format.Branch(table * GuestMemory.PageBytes));
        Invalidate();
    }

    private void ForEachLeaf(Func<ulong, int, ulong> change)
    {
        if (root >= 0)
            ForEachLeaf(root, format.Levels, change);
    }

    private void ForEachLeaf(long table, int level, Func<ulong, int, ulong> change)
    {
        var entries = host.TableAt(table);
        for (var i = 0; i < entries.Length; i++)
        {
            if (!format.IsPresent(entries[i]))
                continue;
            if (format.IsLeaf(entries[i], level))
                entries[i] = change(entries[i], level);
            else
                ForEachLeaf(format.AddressOf(entries[i]) / GuestMemory.PageBytes, level - 1, change);
        }
    }

    private void FreeBelow(long table, int level)
    {
        foreach (var entry in host.TableAt(table))
        {
            if (format.IsPresent(entry) && !format.IsLeaf(entry, level))
                FreeBelow(format.AddressOf(entry) / GuestMemory.PageBytes, level - 1);
        }
        FreeTable(ref table);
    }

    private long NewTable()
    {
        TableFrames++;
        return host.AllocateTable();
    }

    private void FreeTable(ref long frame)
    {
        if (frame < 0)
            return;
        host.FreeTable(frame);
        frame = -1;
        TableFrames--;
    }
}

using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Paging;

/// <summary>The walk that a CPU does on a TLB miss (SDM volume 3, 4.3 to 4.5 and 29.3.2), one for all formats.</summary>
internal static class PageWalker
{
    /// <summary>
    /// Goes from the root to the entry that maps the address. An access sets the accessed flag of each entry that it uses and, if it writes, the
    /// dirty flag of the last (SDM 4.8).
    /// </summary>
    public static PageWalk Walk<TMemory>(TMemory memory, PageFormat format, long root, long address, PageAccess access, WalkCounters counters)
        where TMemory : ITableMemory
    {
        var table = root;
        var writable = true;
        for (var level = format.Levels; ; level--)
        {
            var at = format.EntryAddress(table, address, level);
            if (!memory.TryReadEntry(at, format.EntryBytes, out var entry))
                return new PageWalk(WalkEnd.TableUnreachable, level, at);
            counters.References++;
            if (!format.IsPresent(entry))
                return new PageWalk(WalkEnd.NotPresent, level, at, entry);
            writable &= (entry & PageFormat.Writable) != 0;
            var isLeaf = format.IsLeaf(entry, level);
            if (isLeaf && access == PageAccess.Write && !writable)
                return new PageWalk(WalkEnd.Protected, level, at, entry);
            var wanted = access == PageAccess.Look ? 0 : format.Accessed | (isLeaf && access == PageAccess.Write ? format.Dirty : 0);
            var missing = wanted & ~entry;
            if (missing != 0)
            {
                entry |= missing;
                memory.WriteEntry(at, format.EntryBytes, entry);
                counters.FlagUpdates++;
            }
            if (isLeaf)
            {
                var within = address & ((1L << format.ShiftOf(level)) - 1);
                // A large page's entry has attribute bits where a small one's has address bits.
                var page = format.AddressOf(entry) >> format.ShiftOf(level) << format.ShiftOf(level);
                return new PageWalk(WalkEnd.Mapped, level, at, entry, page | within, writable, (missing & format.Dirty) != 0);
            }
            table = format.AddressOf(entry);
        }
    }
}

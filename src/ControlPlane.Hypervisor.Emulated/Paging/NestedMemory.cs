using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Paging;

/// <summary>
/// A guest's tables as a CPU reaches them with extended page tables: the address of each entry is a guest-physical one and is translated first, by a
/// walk of its own. Over this memory the ordinary walk becomes the two-dimensional one.
/// </summary>
internal sealed class NestedMemory(HostMemory host, ExtendedPageTables tables, WalkCounters counters) : ITableMemory
{
    private long lastAddress = -1;
    private long lastHostAddress;

    /// <summary>The guest-physical address that could not be reached, after a walk that ended so.</summary>
    public long Violation { get; private set; }

    /// <summary>
    /// With accessed and dirty flags in use, the CPU's accesses to a guest's tables count as writes for the EPT (SDM 29.3.5): a table that was
    /// walked is dirty.
    /// </summary>
    public bool TryReadEntry(long address, int bytes, out ulong entry)
    {
        entry = 0;
        var walk = tables.Walk(address, PageAccess.Write, counters);
        if (walk.End != WalkEnd.Mapped)
        {
            Violation = address;
            return false;
        }
        (lastAddress, lastHostAddress) = (address, walk.Address);
        return host.TryReadEntry(walk.Address, bytes, out entry);
    }

    /// <summary>A flag of the entry that was just read: its address needs no second walk.</summary>
    public void WriteEntry(long address, int bytes, ulong entry)
    {
        if (address != lastAddress)
            throw new InvalidOperationException($"A walk writes to the entry that it has read, not to {address:x}.");
        host.WriteEntry(lastHostAddress, bytes, entry);
    }
}

using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Paging;

/// <summary>A part of a process's addresses, mapped when touched.</summary>
/// <param name="Address">Its first virtual address.</param>
/// <param name="FirstPage">The guest page behind it.</param>
internal readonly record struct GuestRegion(long Address, long FirstPage, long Pages);

/// <summary>A process of the guest: its tables' root, and what it may touch.</summary>
internal sealed class GuestProcess(long root, ushort pcid, GuestRegion[] regions)
{
    public long Root => root;

    public ushort Pcid => pcid;

    public bool TryFindPage(long address, out long page)
    {
        foreach (var region in regions)
        {
            page = (address - region.Address) >> PageFormat.PageShift;
            if (address >= region.Address && page < region.Pages)
            {
                page += region.FirstPage;
                return true;
            }
        }
        page = 0;
        return false;
    }
}

/// <summary>
/// The guest's operating system, as far as memory goes: it keeps its processes' page tables in its memory, changes them through its map of all
/// memory like any other data, and maps pages when they are touched. It knows nothing of how its addresses are translated further.
/// </summary>
internal sealed class GuestKernel
{
    private readonly PageFormat format;
    private readonly long firstTablePage;
    private readonly long maxTablePages;
    private readonly long kernelRoot;
    private readonly int kernelEntries;
    private Mmu cpu;
    private ushort processes;

    /// <summary>Boots: makes the map of all memory in the largest pages that there are, and turns paging on.</summary>
    public GuestKernel(Mmu cpu, GuestMemory memory, PageFormat format, long firstTablePage, long maxTablePages)
    {
        (this.cpu, this.format, this.firstTablePage, this.maxTablePages) = (cpu, format, firstTablePage, maxTablePages);
        kernelRoot = NewTable();
        var leafLevel = format.LargestLeafLevel;
        var leaves = (memory.Pages + format.PagesOf(leafLevel) - 1) / format.PagesOf(leafLevel);
        var room = format.EntriesPerTable - (leafLevel == format.Levels ? format.IndexOf(format.KernelBase, leafLevel) : 0);
        leaves = Math.Min(leaves, room);
        var table = kernelRoot;
        for (var level = format.Levels; level > leafLevel; level--)
        {
            var below = NewTable();
            cpu.StorePhysical(format.EntryAddress(table, format.KernelBase, level), format.EntryBytes, format.Branch(below));
            table = below;
        }
        for (var leaf = 0L; leaf < leaves; leaf++)
        {
            var address = leaf << format.ShiftOf(leafLevel);
            cpu.StorePhysical(
                format.EntryAddress(table, format.KernelBase + address, leafLevel), format.EntryBytes, format.Leaf(address, leafLevel) | PageFormat.Global);
        }
        kernelEntries = leafLevel == format.Levels ? (int)leaves : 1;
        Idle = Current = new GuestProcess(kernelRoot, 0, []);
        cpu.LoadRoot(kernelRoot, 0);
    }

    public GuestProcess Current { get; private set; }

    /// <summary>The kernel alone, without a process.</summary>
    public GuestProcess Idle { get; }

    /// <summary>Guest pages that hold tables.</summary>
    public long TablePages { get; private set; }

    /// <summary>A new process, sharing the kernel's part of the tables; null when there is no room for its own.</summary>
    public GuestProcess? TryCreateProcess(params GuestRegion[] regions)
    {
        if (TablePages >= maxTablePages)
            return null;
        var root = NewTable();
        for (var i = 0; i < kernelEntries; i++)
        {
            var offset = (format.IndexOf(format.KernelBase, format.Levels) + i) * (long)format.EntryBytes;
            Store(root + offset, Load(kernelRoot + offset));
        }
        return new GuestProcess(root, ++processes, regions);
    }

    public void SwitchTo(GuestProcess process)
    {
        Current = process;
        cpu.LoadRoot(process.Root, process.Pcid);
    }

    /// <summary>The guest goes on on another CPU, with all that is in its memory.</summary>
    public void MoveTo(Mmu other)
    {
        cpu = other;
        other.Restore(Current.Root, Current.Pcid);
    }

    /// <summary>The current process reads or writes; pages that it may touch are mapped on the way. False: it may not, or there is no room for tables.</summary>
    public bool TryTouch(long address, PageAccess access, out long hostAddress)
    {
        while (!cpu.TryAccess(address, access, out hostAddress))
        {
            if (!Current.TryFindPage(address, out var page) || !TryMap(address, page))
                return false;
        }
        return true;
    }

    /// <summary>Maps a page into the current process.</summary>
    public bool TryMap(long address, long page)
    {
        var table = Current.Root;
        for (var level = format.Levels; level > 1; level--)
        {
            var at = format.EntryAddress(table, address, level);
            var entry = Load(at);
            if (!format.IsPresent(entry))
            {
                if (TablePages >= maxTablePages)
                    return false;
                Store(at, entry = format.Branch(NewTable()));
            }
            table = format.AddressOf(entry);
        }
        Store(format.EntryAddress(table, address, 1), format.Leaf(page << PageFormat.PageShift, 1));
        return true;
    }

    /// <summary>Takes a page out of the current process; its CPU forgets it.</summary>
    public void Unmap(long address)
    {
        var table = Current.Root;
        for (var level = format.Levels; level > 1; level--)
        {
            var entry = Load(format.EntryAddress(table, address, level));
            if (!format.IsPresent(entry))
                return;
            table = format.AddressOf(entry);
        }
        Store(format.EntryAddress(table, address, 1), 0);
        cpu.InvalidatePage(address);
    }

    private long NewTable() => (firstTablePage + TablePages++) << PageFormat.PageShift;

    private ulong Load(long physical) => cpu.TryLoad(format.KernelBase + physical, format.EntryBytes, out var entry)
        ? entry
        : throw new InvalidOperationException($"The guest's kernel cannot read its own memory at {physical:x}.");

    private void Store(long physical, ulong entry)
    {
        if (!cpu.TryStore(format.KernelBase + physical, format.EntryBytes, entry))
            throw new InvalidOperationException($"The guest's kernel cannot write its own memory at {physical:x}.");
    }
}

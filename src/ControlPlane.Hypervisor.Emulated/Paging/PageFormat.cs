using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Paging;

/// <summary>
/// The shape of one kind of page table: how many levels, which bits of an address choose the entry in each, and which bits of an entry say what.
/// Levels are counted from the leaf: 1 holds the entries of 4 KiB pages.
/// </summary>
internal sealed class PageFormat
{
    public const int PageShift = 12;

    /// <summary>Bit 1 of an entry, in every format here.</summary>
    public const ulong Writable = 1UL << 1;

    /// <summary>Bit 7 (PS): the entry maps a large page, there is no table below it.</summary>
    public const ulong Large = 1UL << 7;

    /// <summary>Bit 8 (G) of a leaf: the page is the same in every process.</summary>
    public const ulong Global = 1UL << 8;

    /// <summary>32-bit paging (Intel SDM volume 3, 4.3): two levels of ten bits, entries of 4 bytes, large pages of 4 MiB.</summary>
    public static readonly PageFormat TwoLevel = new()
    {
        Levels = 2, BitsPerLevel = 10, EntryBytes = 4, LargestLeafLevel = 2, Present = 1, Accessed = 1 << 5, Dirty = 1 << 6, Flags = 0b111, KernelBase = 0xC000_0000,
    };

    /// <summary>4-level paging (SDM 4.5): nine bits each, large pages of 2 MiB and 1 GiB.</summary>
    public static readonly PageFormat FourLevel = new()
    {
        Levels = 4, BitsPerLevel = 9, EntryBytes = 8, LargestLeafLevel = 3, Present = 1, Accessed = 1 << 5, Dirty = 1 << 6, Flags = 0b111, KernelBase = -1L << 47,
    };

    /// <summary>Three levels of nine bits, as Arm's stage 1 with 39-bit addresses has them; entries as above.</summary>
    public static readonly PageFormat ThreeLevel = new()
    {
        Levels = 3, BitsPerLevel = 9, EntryBytes = 8, LargestLeafLevel = 3, Present = 1, Accessed = 1 << 5, Dirty = 1 << 6, Flags = 0b111, KernelBase = -1L << 38,
    };

    /// <summary>Extended page tables (SDM 29.3.2): any of read, write and execute makes an entry present; its flags are bits 8 and 9.</summary>
    public static readonly PageFormat Ept = new()
    {
        Levels = 4, BitsPerLevel = 9, EntryBytes = 8, LargestLeafLevel = 3, Present = 0b111, Accessed = 1 << 8, Dirty = 1 << 9, Flags = 0b111,
    };

    /// <summary>A second stage of three levels (Arm's stage 2 with 39-bit addresses), entries as in the EPT.</summary>
    public static readonly PageFormat ThreeLevelEpt = new()
    {
        Levels = 3, BitsPerLevel = 9, EntryBytes = 8, LargestLeafLevel = 3, Present = 0b111, Accessed = 1 << 8, Dirty = 1 << 9, Flags = 0b111,
    };

    private const ulong AddressBits = 0x000F_FFFF_FFFF_F000;

    public required int Levels { get; init; }

    public required int BitsPerLevel { get; init; }

    public required int EntryBytes { get; init; }

    /// <summary>The highest level whose entries may map a page.</summary>
    public required int LargestLeafLevel { get; init; }

    /// <summary>An entry with none of these bits maps nothing.</summary>
    public required ulong Present { get; init; }

    public required ulong Accessed { get; init; }

    public required ulong Dirty { get; init; }

    /// <summary>What an entry has that allows everything.</summary>
    public required ulong Flags { get; init; }

    /// <summary>Where a kernel maps all of memory, as its page tables' upper part; 0 for tables that no kernel lives in.</summary>
    public long KernelBase { get; init; }

    public int EntriesPerTable => 1 << BitsPerLevel;

    /// <summary>Bits of an address that a translation leaves as they are, for a leaf of this level.</summary>
    public int ShiftOf(int level) => PageShift + ((level - 1) * BitsPerLevel);

    /// <summary>4 KiB pages in a leaf of this level.</summary>
    public long PagesOf(int level) => 1L << ((level - 1) * BitsPerLevel);

    public int IndexOf(long address, int level) => (int)(address >> ShiftOf(level)) & (EntriesPerTable - 1);

    public long EntryAddress(long table, long address, int level) => table + ((long)IndexOf(address, level) * EntryBytes);

    public long AddressOf(ulong entry) => (long)(entry & AddressBits);

    public bool IsPresent(ulong entry) => (entry & Present) != 0;

    public bool IsLeaf(ulong entry, int level) => level == 1 || ((entry & Large) != 0 && level <= LargestLeafLevel);

    /// <summary>An entry that maps a page of this level, allowing all.</summary>
    public ulong Leaf(long address, int level) => (ulong)address | Flags | (level > 1 ? Large : 0);

    /// <summary>An entry that leads to a table.</summary>
    public ulong Branch(long table) => (ulong)table | Flags;

    /// <summary>Page number and offset of an address, in pages of 4 KiB.</summary>
    public static (long Page, long Offset) Split(long address) => (address >> PageShift, address & (GuestMemory.PageBytes - 1));
}

using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Paging;

namespace ControlPlane.Hypervisor.Emulated.Tests.Paging;

/// <summary>Walks through real tables, their references counted one by one.</summary>
public sealed class WalkTests
{
    private const long MiB = 1024 * 1024;
    private const long Root = 0x1000;

    /// <summary>Maps one page in tables that lie one after the other, as nobody else has written to them.</summary>
    private static GuestMemory Mapped(PageFormat format, long virtualAddress, long physicalAddress, int leafLevel = 1)
    {
        var memory = new GuestMemory(64 * MiB);
        var table = Root;
        for (var level = format.Levels; level > leafLevel; level--, table += GuestMemory.PageBytes)
            memory.WriteEntry(format.EntryAddress(table, virtualAddress, level), format.EntryBytes, format.Branch(table + GuestMemory.PageBytes));
        memory.WriteEntry(format.EntryAddress(table, virtualAddress, leafLevel), format.EntryBytes, format.Leaf(physicalAddress, leafLevel));
        return memory;
    }

    [Fact]
    public void Virtual_address_37450_is_page_9_offset_586_and_with_frame_115_physical_address_471626()
    {
        Assert.Equal((9, 586), PageFormat.Split(37450));
        var memory = Mapped(PageFormat.TwoLevel, 37450, 115 * GuestMemory.PageBytes);
        var counters = new WalkCounters();

        var walk = PageWalker.Walk(memory, PageFormat.TwoLevel, Root, 37450, PageAccess.Read, counters);

        Assert.Equal((WalkEnd.Mapped, 471626), (walk.End, walk.Address));
        Assert.Equal(PageFormat.TwoLevel.Levels, counters.References);
        Assert.Equal(WalkEnd.NotPresent, PageWalker.Walk(memory, PageFormat.TwoLevel, Root, 10 * 4096, PageAccess.Read, counters).End);
    }

    [Theory]
    [InlineData(1, 4)]
    [InlineData(2, 3)]
    [InlineData(3, 2)]
    public void A_native_walk_of_four_levels_costs_four_references_and_a_large_page_saves_one_a_level(int leafLevel, int references)
    {
        var address = (5L << 39) | (6L << 30) | (7L << 21) | (8L << 12) | 0x123;
        var format = PageFormat.FourLevel;
        var counters = new WalkCounters();

        var walk = PageWalker.Walk(Mapped(format, address, 1L << 30, leafLevel), format, Root, address, PageAccess.Read, counters);

        Assert.Equal(references, counters.References);
        Assert.Equal((1L << 30) | (address & ((1L << format.ShiftOf(leafLevel)) - 1)), walk.Address);
    }

    [Fact]
    public void Reading_sets_the_accessed_flag_on_the_way_and_writing_the_dirty_flag_at_its_end()
    {
        var format = PageFormat.FourLevel;
        var memory = Mapped(format, 0x5000, 0x9000);
        var counters = new WalkCounters();

        var read = PageWalker.Walk(memory, format, Root, 0x5000, PageAccess.Read, counters);
        Assert.Equal((format.Levels, false, false), (counters.FlagUpdates, read.DirtyWasSet, (read.Entry & format.Dirty) != 0));
        var write = PageWalker.Walk(memory, format, Root, 0x5000, PageAccess.Write, counters);
        Assert.Equal((format.Levels + 1, true, true), (counters.FlagUpdates, write.DirtyWasSet, (write.Entry & format.Dirty) != 0));
        Assert.False(PageWalker.Walk(memory, format, Root, 0x5000, PageAccess.Write, counters).DirtyWasSet);
        Assert.Equal(format.Levels + 1, counters.FlagUpdates);
    }

    [Fact]
    public void A_write_needs_the_permission_of_every_level()
    {
        var format = PageFormat.FourLevel;
        var memory = Mapped(format, 0x5000, 0x9000);
        memory.WriteEntry(Root, format.EntryBytes, format.Branch(Root + 4096) & ~PageFormat.Writable);

        var counters = new WalkCounters();
        Assert.Equal(WalkEnd.Mapped, PageWalker.Walk(memory, format, Root, 0x5000, PageAccess.Read, counters).End);
        Assert.Equal(WalkEnd.Protected, PageWalker.Walk(memory, format, Root, 0x5000, PageAccess.Write, counters).End);
    }

    [Theory]
    [InlineData(4, 1, 1, 24)]
    [InlineData(4, 1, 2, 19)]
    [InlineData(4, 1, 3, 14)]
    [InlineData(4, 2, 2, 15)]
    [InlineData(4, 3, 3, 8)]
    [InlineData(3, 1, 1, 15)]
    public void A_two_dimensional_walk_of_four_levels_costs_24_references_of_three_15_and_huge_pages_shorten_it(
        int levels, int guestLeaf, int eptLeaf, int references)
    {
        var (guestFormat, eptFormat) = levels == 4 ? (PageFormat.FourLevel, PageFormat.Ept) : (PageFormat.ThreeLevel, PageFormat.ThreeLevelEpt);
        var bench = new PagingBench(2048 * MiB, guestFormat, eptFormat, eptLeaf);
        var (address, page) = (0x40_0000_0000 - (4L << 30), 3L << 18);
        bench.MapByHand(address, page % bench.Memory.Pages, guestLeaf);
        Assert.True(bench.Cpu.TryAccess(address, PageAccess.Write, out _)); // Everything is mapped now.
        bench.Cpu.Tlb.FlushAll();

        var before = bench.Method.Counters.References;
        Assert.True(bench.Cpu.TryAccess(address, PageAccess.Write, out var hostAddress));

        Assert.Equal(references, bench.Method.Counters.References - before);
        Assert.True(bench.Host.TryFind(hostAddress >> 12, out var owner, out var found));
        Assert.Equal((bench.Memory, page % bench.Memory.Pages), (owner, found));

        before = bench.Method.Counters.References;
        Assert.True(bench.Cpu.TryAccess(address, PageAccess.Write, out _));
        Assert.Equal(before, bench.Method.Counters.References); // A hit costs none.
    }

    [Fact]
    public void A_32_bit_guest_over_extended_tables_of_four_levels_costs_14_references()
    {
        var bench = new PagingBench(256 * MiB, PageFormat.TwoLevel, PageFormat.Ept, eptLeaf: 1);
        bench.MapByHand(37450, 115, 1);
        Assert.True(bench.Cpu.TryAccess(37450, PageAccess.Read, out _));
        bench.Cpu.Tlb.FlushAll();

        var before = bench.Method.Counters.References;
        Assert.True(bench.Cpu.TryAccess(37450, PageAccess.Read, out var hostAddress));

        Assert.Equal(14, bench.Method.Counters.References - before);
        Assert.Equal((bench.FirstFrame * GuestMemory.PageBytes) + 471626, hostAddress);
    }
}

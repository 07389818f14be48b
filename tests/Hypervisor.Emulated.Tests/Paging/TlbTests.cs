using ControlPlane.Hypervisor.Emulated.Paging;

namespace ControlPlane.Hypervisor.Emulated.Tests.Paging;

/// <summary>What a TLB remembers, for whom, and until when.</summary>
public sealed class TlbTests
{
    private const int Small = PageFormat.PageShift;
    private static readonly TlbTag Guest = new(1, 1);

    private static bool Finds(Tlb tlb, TlbTag owner, long page, bool write = false) => tlb.TryFind(owner, page << Small, write, out _);

    private static Tlb With(Tlb tlb, params (TlbTag Owner, long Page, bool Global)[] entries)
    {
        foreach (var (owner, page, global) in entries)
            tlb.Insert(owner, page << Small, Small, (1000 + page) << Small, written: true, global);
        return tlb;
    }

    [Fact]
    public void A_miss_then_a_hit_with_the_offset_kept()
    {
        var tlb = new Tlb(TlbTagging.Vm);
        Assert.False(tlb.TryFind(Guest, 37450, false, out _));
        tlb.Insert(Guest, 37450, Small, 471626, written: false, global: false);

        Assert.True(tlb.TryFind(Guest, 37451, false, out var hostAddress));
        Assert.Equal((471627, 1L, 1L), (hostAddress, tlb.Hits, tlb.Misses));
    }

    [Fact]
    public void A_write_needs_an_entry_whose_dirty_flags_are_set()
    {
        var tlb = new Tlb(TlbTagging.Vm);
        tlb.Insert(Guest, 5 << Small, Small, 9 << Small, written: false, global: false);
        Assert.True(Finds(tlb, Guest, 5));
        Assert.False(Finds(tlb, Guest, 5, write: true));

        tlb.Insert(Guest, 5 << Small, Small, 9 << Small, written: true, global: false);

        Assert.True(Finds(tlb, Guest, 5, write: true));
    }

    [Fact]
    public void One_entry_of_a_large_page_serves_all_of_it()
    {
        var tlb = new Tlb(TlbTagging.Vm);
        tlb.Insert(Guest, 2L << 30, 30, 7L << 30, written: true, global: false);

        Assert.True(tlb.TryFind(Guest, (3L << 30) - 1, true, out var hostAddress));
        Assert.Equal((8L << 30) - 1, hostAddress);
        Assert.False(tlb.TryFind(Guest, 3L << 30, true, out _));
    }

    [Fact]
    public void A_full_set_gives_up_its_oldest_entry()
    {
        var tlb = new Tlb(TlbTagging.Vm, sets: 2, ways: 3);
        foreach (var page in new[] { 0L, 2, 4, 6 }) // All of set 0.
            With(tlb, (Guest, page, false));
        With(tlb, (Guest, 1, false));

        Assert.Equal([false, true, true, true, true], new[] { 0L, 2, 4, 6, 1 }.Select(p => Finds(tlb, Guest, p)));
        With(tlb, (Guest, 8, false));
        Assert.Equal([false, true, true, true], new[] { 2L, 4, 6, 8 }.Select(p => Finds(tlb, Guest, p)));
    }

    [Fact]
    public void Tagged_by_VM_two_guests_use_one_address_and_a_switch_between_them_flushes_nothing()
    {
        var tlb = With(new Tlb(TlbTagging.Vm), (new TlbTag(1, 0), 5, false));
        Assert.False(Finds(tlb, new TlbTag(2, 0), 5));

        tlb.OnVmSwitch();

        Assert.True(Finds(tlb, new TlbTag(1, 0), 5));
        Assert.Equal(0, tlb.Flushes);
    }

    [Fact]
    public void Untagged_a_switch_of_VM_flushes_all_and_one_of_process_all_but_global_pages()
    {
        var tlb = With(new Tlb(TlbTagging.None), (Guest, 5, false), (Guest, 6, true));
        tlb.OnProcessSwitch(1);
        Assert.Equal((false, true), (Finds(tlb, Guest, 5), Finds(tlb, Guest, 6)));

        tlb.OnVmSwitch();

        Assert.False(Finds(tlb, Guest, 6));
        Assert.Equal(2, tlb.Flushes);
    }

    [Fact]
    public void Tagged_by_process_a_switch_of_process_flushes_nothing_and_each_sees_its_own_pages_and_the_global_ones()
    {
        var tlb = With(new Tlb(TlbTagging.VmAndProcess), (new TlbTag(1, 1), 5, false), (new TlbTag(1, 1), 6, true));
        tlb.OnProcessSwitch(1);

        Assert.Equal((true, true), (Finds(tlb, new TlbTag(1, 1), 5), Finds(tlb, new TlbTag(1, 1), 6)));
        Assert.Equal((false, true), (Finds(tlb, new TlbTag(1, 2), 5), Finds(tlb, new TlbTag(1, 2), 6)));
        Assert.False(Finds(tlb, new TlbTag(2, 2), 6)); // Global within a guest, not beyond.
    }

    [Fact]
    public void Invlpg_forgets_one_page_even_a_global_one()
    {
        var tlb = With(new Tlb(TlbTagging.VmAndProcess), (Guest, 5, true), (Guest, 6, true));

        tlb.InvalidatePage(Guest, 5 << Small);

        Assert.Equal((false, true), (Finds(tlb, Guest, 5), Finds(tlb, Guest, 6)));
    }

    [Fact]
    public void A_flush_of_one_guest_leaves_the_other_its_entries()
    {
        var tlb = With(new Tlb(TlbTagging.Vm), (new TlbTag(1, 0), 5, true), (new TlbTag(2, 0), 5, true));

        tlb.FlushVm(1);

        Assert.Equal((false, true), (Finds(tlb, new TlbTag(1, 0), 5), Finds(tlb, new TlbTag(2, 0), 5)));
    }
}

using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Paging;

namespace ControlPlane.Hypervisor.Emulated.Tests.Guests;

public sealed class WorkloadTests
{
    private const long MiB = 1024 * 1024;
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static (DirtyWorkload Workload, GuestMemory Memory, GuestPaging Paging) Guest(
        double rate, double workingSet, ulong seed = 1, PagingKind kind = PagingKind.Ept)
    {
        var (host, memory) = (new HostMemory(), new GuestMemory(1024 * MiB));
        var paging = new GuestPaging(host, memory, host.Allocate(memory), new ExitCounters(), new PagingOptions(kind));
        memory.CpuWrites = paging;
        return (new DirtyWorkload(rate, workingSet, memory, paging, seed, Start), memory, paging);
    }

    private static PageBitmap Dirtied(double rate, double workingSet, double seconds, ulong seed = 1, int steps = 1, PagingKind kind = PagingKind.Ept)
    {
        var (workload, memory, _) = Guest(rate, workingSet, seed, kind);
        memory.StartDirtyLog();
        for (var step = 1; step <= steps; step++)
            workload.WriteUntil(Start.AddSeconds(seconds * step / steps));
        return memory.TakeDirty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Random_writes_dirty_the_share_of_the_working_set_that_chance_gives(bool shadow)
    {
        // n draws from w pages leave w * e^(-n/w) of them untouched.
        var dirty = Dirtied(rate: 64, workingSet: 128, seconds: 2, kind: shadow ? PagingKind.Shadow : PagingKind.Ept);

        var pages = 128 * MiB / GuestMemory.PageBytes;
        Assert.InRange(dirty.Count, (long)(pages * (1 - Math.Exp(-1)) * 0.97), (long)(pages * (1 - Math.Exp(-1)) * 1.03));
    }

    [Fact]
    public void Never_more_than_the_working_set_and_the_guests_own_tables_is_dirty()
    {
        var (workload, memory, paging) = Guest(rate: 1000, workingSet: 16);
        memory.StartDirtyLog();
        workload.WriteUntil(Start.AddSeconds(10));

        var set = 16 * MiB / GuestMemory.PageBytes;
        Assert.InRange(memory.DirtyPages, set, set + paging.GuestTablePages);
    }

    [Fact]
    public void Looking_often_gives_the_same_pages_as_looking_once()
    {
        var (once, often) = (Dirtied(10, 64, 1), Dirtied(10, 64, 1, steps: 10));

        Assert.Equal(once.Count, often.Count);
        Assert.All(Enumerable.Range(0, (int)once.Pages), p => Assert.Equal(once.Contains(p), often.Contains(p)));
    }

    [Fact]
    public void Another_seed_dirties_other_pages()
    {
        var (one, other) = (Dirtied(1, 64, 1, seed: 1), Dirtied(1, 64, 1, seed: 3));

        Assert.Contains(Enumerable.Range(0, (int)one.Pages), p => one.Contains(p) != other.Contains(p));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Both_ways_of_paging_find_the_same_pages_of_the_program_written(bool taken)
    {
        var (under, over) = (Guest(10, 64), Guest(10, 64, kind: PagingKind.Shadow));
        foreach (var (workload, memory, _) in new[] { under, over })
        {
            memory.StartDirtyLog();
            workload.WriteUntil(Start.AddSeconds(1));
            if (taken)
                memory.TakeDirty();
            workload.WriteUntil(Start.AddSeconds(2));
        }

        var (one, other) = (under.Memory.TakeDirty(), over.Memory.TakeDirty());
        var first = (1024 - 64) * MiB / 2 / GuestMemory.PageBytes;
        Assert.All(Enumerable.Range(0, (int)(64 * MiB / GuestMemory.PageBytes)), p => Assert.Equal(one.Contains(first + p), other.Contains(first + p)));
    }

    [Fact]
    public void Nothing_is_computed_and_no_table_is_made_while_nobody_looks()
    {
        var (workload, memory, paging) = Guest(rate: 1_000_000, workingSet: 1024);

        workload.WriteUntil(Start.AddDays(10_000));
        memory.StartDirtyLog();

        Assert.Equal(0, memory.DirtyPages);
        Assert.Equal((0, 0), (paging.TableFrames, paging.GuestTablePages));
    }

    [Fact]
    public void Reading_the_counters_after_years_costs_no_more_than_after_a_minute()
    {
        var (workload, _, paging) = Guest(rate: 16, workingSet: 256);

        workload.SampleUntil(Start.AddDays(10_000));
        var sheet = new CounterSheet();
        paging.CountInto(sheet);

        var tlb = sheet.ToGroups().Single(g => g.Name == "tlb").Counters;
        // The first touch of a page takes several translations.
        Assert.InRange(tlb.Single(c => c.Name == "hits").Value + tlb.Single(c => c.Name == "misses").Value, 256, 8 * 256);
        // Statistics of a running guest are no reason for more than a small part of its tables.
        Assert.InRange((paging.TableFrames + paging.GuestTablePages) * GuestMemory.PageBytes, 1, MiB / 2);
    }

    [Theory]
    [InlineData(0, 100)]
    [InlineData(32768, 32768)]
    [InlineData(100, 100_000)]
    [InlineData(32767, 2)]
    public void Ranges_and_single_pages_give_the_same_set(long first, long count)
    {
        var (range, single) = (new PageBitmap(200_000), new PageBitmap(200_000));
        range.AddRange(first, count);
        range.AddRange(first, count);
        for (var page = first; page < first + count; page++)
            single.Add(page);

        Assert.Equal((count, count), (range.Count, single.Count));
        Assert.Equal((true, true, false), (range.Contains(first), range.Contains(first + count - 1), range.Contains(first + count)));
    }

    [Fact]
    public void The_pages_of_a_set_are_found_one_after_the_other()
    {
        var set = new PageBitmap(200_000);
        long[] pages = [0, 63, 64, 32767, 32768, 131_072, 199_999];
        foreach (var page in pages)
            set.Add(page);

        var found = new List<long>();
        for (var page = set.Next(0); page >= 0; page = set.Next(page + 1))
            found.Add(page);

        Assert.Equal(pages, found);
    }
}

using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Paging;

namespace ControlPlane.Hypervisor.Emulated.Tests.Paging;

/// <summary>Whoever writes, the log has it, in each round anew.</summary>
public sealed class DirtyLogTests
{
    private const long MiB = 1024 * 1024;
    private const long At = 0x40_0000;
    private const long First = 4096;

    private static long[] Taken(PagingBench bench)
    {
        var (taken, pages) = (bench.Memory.TakeDirty(), new List<long>());
        for (var page = taken.Next(0); page >= 0; page = taken.Next(page + 1))
            pages.Add(page);
        // The guest's own tables become dirty by walks alone; they lie below its program's pages.
        return [.. pages.Where(p => p >= First)];
    }

    private static (PagingBench Bench, GuestKernel Kernel) Guest(bool shadow)
    {
        var bench = new PagingBench(64 * MiB, shadow ? PagingKind.Shadow : PagingKind.Ept);
        return (bench, bench.Boot(First, 2000, out _));
    }

    private static void Write(GuestKernel kernel, long page) => Assert.True(kernel.TryTouch(At + (page * GuestMemory.PageBytes), PageAccess.Write, out _));

    private static void Read(GuestKernel kernel, long page) => Assert.True(kernel.TryTouch(At + (page * GuestMemory.PageBytes), PageAccess.Read, out _));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_the_CPU_writes_is_logged_once_a_round_and_what_it_reads_is_not(bool shadow)
    {
        var (bench, kernel) = Guest(shadow);
        Write(kernel, 1); // Before the log: no matter.
        bench.Memory.StartDirtyLog();

        Write(kernel, 3);
        Write(kernel, 3);
        Read(kernel, 4);
        Assert.Equal([First + 3], Taken(bench));
        Assert.Empty(Taken(bench));

        Write(kernel, 3); // Its TLB entry allowed writes until the log was taken.
        Write(kernel, 1);
        Assert.Equal([First + 1, First + 3], Taken(bench));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void CPU_vhost_and_device_write_into_one_log(bool shadow)
    {
        var (bench, kernel) = Guest(shadow);
        bench.Memory.StartDirtyLog();

        Write(kernel, 1);
        bench.Memory.Write((First + 20) * GuestMemory.PageBytes, [1]); // As vhost and the DMA of a function do.
        Assert.True(bench.Cpu.TryStore(At + (30 * GuestMemory.PageBytes), 8, 1) || Mapped(kernel, bench, 30));

        Assert.Equal([First + 1, First + 20, First + 30], Taken(bench));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_log_is_complete_for_any_course_of_writes(bool shadow)
    {
        var (bench, kernel) = Guest(shadow);
        bench.Memory.StartDirtyLog();
        var random = new Random(4711);
        for (var round = 0; round < 20; round++)
        {
            var written = new SortedSet<long>();
            for (var write = random.Next(1500); write > 0; write--)
            {
                var page = random.Next(2000);
                Write(kernel, page);
                written.Add(First + page);
            }

            Assert.Equal(written, Taken(bench));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_page_that_was_written_before_and_is_mapped_anew_by_a_read_is_logged_when_it_is_written_again(bool shadow)
    {
        var (bench, kernel) = Guest(shadow);
        Write(kernel, 5);
        bench.Cpu.InvalidatePage(At + (5 * GuestMemory.PageBytes));
        bench.Memory.StartDirtyLog();

        Read(kernel, 5);
        Assert.Empty(Taken(bench));
        Write(kernel, 5);

        Assert.Equal([First + 5], Taken(bench));
    }

    [Fact] // Intel SDM volume 3, 29.3.5.
    public void With_extended_tables_a_walk_alone_makes_the_guests_tables_dirty()
    {
        var (bench, kernel) = Guest(shadow: false);
        Read(kernel, 1);
        bench.Memory.StartDirtyLog();
        Read(kernel, 1);
        Assert.Equal(PageFormat.FourLevel.Levels, bench.Memory.TakeDirty().Count);

        Read(kernel, 1);
        Read(kernel, 1); // A hit walks nothing.
        Assert.Equal(PageFormat.FourLevel.Levels, bench.Memory.TakeDirty().Count);
    }

    [Fact]
    public void A_full_log_of_modified_pages_is_an_exit()
    {
        var (bench, kernel) = Guest(shadow: false);
        bench.Memory.StartDirtyLog();
        for (var page = 0; page < 2000; page++)
            Write(kernel, page);

        // 512 places; the guest's own tables take some of them too.
        Assert.Equal(bench.Memory.DirtyPages / 512, bench.Exits[ExitReason.PageModificationLogFull]);
        Assert.InRange(bench.Memory.DirtyPages, 2000, 2000 + 20);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Large_pages_are_split_while_writes_are_logged_and_come_back_afterwards(int leafLevel)
    {
        var bench = new PagingBench(2048 * MiB, PageFormat.FourLevel, PageFormat.Ept, leafLevel);
        var kernel = bench.Boot(First, 2000, out _);
        for (var page = 0; page < 2000; page++)
            Write(kernel, page);
        var tables = bench.Method.TableFrames;
        Assert.InRange(tables, 1, 5);

        bench.Memory.StartDirtyLog();
        Write(kernel, 600);
        Write(kernel, 1999);
        Assert.Equal([First + 600, First + 1999], Taken(bench));
        Assert.InRange(bench.Method.TableFrames, tables + 2, tables + 8);

        bench.Memory.StopDirtyLog();
        Write(kernel, 600);
        Assert.InRange(bench.Method.TableFrames, 1, tables);
    }

    private static bool Mapped(GuestKernel kernel, PagingBench bench, long page)
    {
        Assert.True(kernel.TryMap(At + (page * GuestMemory.PageBytes), First + page));
        return bench.Cpu.TryStore(At + (page * GuestMemory.PageBytes), 8, 1);
    }
}

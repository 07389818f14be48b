using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Paging;

namespace ControlPlane.Hypervisor.Emulated.Tests.Paging;

/// <summary>What a guest's accesses cost the VMM, with extended and with shadow page tables.</summary>
public sealed class MmuTests
{
    private const long MiB = 1024 * 1024;
    private const long At = 0x40_0000;

    private static long Forwarded(PagingBench bench) => Counter(bench.Cpu, "forwarded-faults");

    private static long Counter(ICounting counting, string name)
    {
        var sheet = new CounterSheet();
        counting.CountInto(sheet);
        return sheet.ToGroups().SelectMany(g => g.Counters).Single(c => c.Name == name).Value;
    }

    /// <summary>The guest page that an access reached.</summary>
    private static long Touch(PagingBench bench, GuestKernel kernel, long page, PageAccess access = PageAccess.Read)
    {
        Assert.True(kernel.TryTouch(At + (page * GuestMemory.PageBytes), access, out var hostAddress));
        Assert.True(bench.Host.TryFind(hostAddress / GuestMemory.PageBytes, out var owner, out var found));
        Assert.Same(bench.Memory, owner);
        return found;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Each_page_of_a_program_is_where_the_guests_kernel_put_it(bool shadow)
    {
        var bench = new PagingBench(64 * MiB, shadow ? PagingKind.Shadow : PagingKind.Ept);
        var kernel = bench.Boot(firstPage: 4096, pages: 2000, out _);

        for (var round = 0; round < 2; round++)
            Assert.All(Enumerable.Range(0, 2000), p => Assert.Equal(4096 + p, Touch(bench, kernel, p, (PageAccess)(1 + ((p + round) % 2)))));
        Assert.False(kernel.TryTouch(At - 1, PageAccess.Read, out _)); // Nobody's address.
    }

    [Fact]
    public void With_extended_tables_only_pages_that_are_touched_for_the_first_time_exit()
    {
        var bench = new PagingBench(64 * MiB, PagingKind.Ept);
        var kernel = bench.Boot(firstPage: 4096, pages: 100, out var process);
        Touch(bench, kernel, 0);
        var before = bench.Exits.Total;

        Touch(bench, kernel, 1);
        Assert.Equal(before + 1, bench.Exits[ExitReason.EptViolation]);
        Touch(bench, kernel, 1, PageAccess.Write);
        kernel.SwitchTo(process);
        kernel.Unmap(At);
        Touch(bench, kernel, 0);

        Assert.Equal(before + 1, bench.Exits.Total);
    }

    [Fact]
    public void With_shadow_tables_a_new_root_a_changed_table_and_invlpg_exit()
    {
        var bench = new PagingBench(64 * MiB, PagingKind.Shadow);
        var kernel = bench.Boot(firstPage: 4096, pages: 100, out var process);
        Touch(bench, kernel, 0);
        var (roots, faults) = (bench.Exits[ExitReason.ControlRegister], bench.Exits[ExitReason.Exception]);

        kernel.SwitchTo(process);
        Assert.Equal(roots + 1, bench.Exits[ExitReason.ControlRegister]);

        kernel.Unmap(At); // A write to a table that is shadowed, and INVLPG.
        Assert.Equal((faults + 1, 1), (bench.Exits[ExitReason.Exception], bench.Exits[ExitReason.Invlpg]));
        Assert.False(bench.Cpu.TryAccess(At, PageAccess.Read, out _));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_the_guest_unmapped_faults_from_then_on(bool shadow)
    {
        var bench = new PagingBench(64 * MiB, shadow ? PagingKind.Shadow : PagingKind.Ept);
        var kernel = bench.Boot(firstPage: 4096, pages: 100, out _);
        Touch(bench, kernel, 0, PageAccess.Write);

        kernel.Unmap(At);

        Assert.False(bench.Cpu.TryAccess(At, PageAccess.Read, out _));
    }

    [Fact]
    public void No_TLB_keeps_what_the_VMM_dropped_of_its_shadow_tables()
    {
        var bench = new PagingBench(64 * MiB, PagingKind.Shadow);
        var kernel = bench.Boot(firstPage: 4096, pages: 100, out _);
        Touch(bench, kernel, 0, PageAccess.Write);
        var entry = PageWalker.Walk(bench.Memory, bench.Format, bench.Cpu.Root, At, PageAccess.Look, new WalkCounters()).EntryAddress;

        Assert.True(bench.Cpu.TryStore(bench.Format.KernelBase + entry, bench.Format.EntryBytes, 0)); // And no INVLPG.

        Assert.False(bench.Cpu.TryAccess(At, PageAccess.Read, out _));
    }

    [Fact]
    public void The_VMM_alone_serves_hidden_faults_and_forwards_the_guests_own()
    {
        var bench = new PagingBench(64 * MiB, PagingKind.Shadow);
        var kernel = bench.Boot(firstPage: 4096, pages: 100, out _);
        Touch(bench, kernel, 0);
        var (hidden, forwarded) = (Counter(bench.Cpu, "hidden-faults"), Forwarded(bench));

        Touch(bench, kernel, 1); // The guest has not mapped it yet: its own fault, then one that it never hears of.
        Assert.Equal((1, 1), (Counter(bench.Cpu, "hidden-faults") - hidden, Forwarded(bench) - forwarded));

        Touch(bench, kernel, 1, PageAccess.Write); // To see the dirty flag, the shadow was not writable.
        Assert.Equal((2, 1), (Counter(bench.Cpu, "hidden-faults") - hidden, Forwarded(bench) - forwarded));
        Touch(bench, kernel, 1, PageAccess.Write);
        Assert.Equal((2, 1), (Counter(bench.Cpu, "hidden-faults") - hidden, Forwarded(bench) - forwarded));
    }

    [Fact]
    public void What_is_shadowed_for_one_process_serves_another_where_they_share_tables()
    {
        var bench = new PagingBench(64 * MiB, PagingKind.Shadow);
        var kernel = bench.Boot(firstPage: 4096, pages: 100, out _);
        Touch(bench, kernel, 0);
        var second = kernel.TryCreateProcess(new GuestRegion(At, 8192, 100))!;
        var tables = bench.Method.TableFrames;

        kernel.SwitchTo(second);

        // Its root is its own, the kernel's tables below are those of before; its own pages follow as they are touched.
        Assert.Equal(tables + 1, bench.Method.TableFrames);
        Assert.Equal(8192, Touch(bench, kernel, 0));
        Assert.Equal(tables + 4, bench.Method.TableFrames);
    }

    [Fact]
    public void Shadow_tables_are_bounded_and_made_anew_when_there_are_too_many()
    {
        var bench = new PagingBench(16 * MiB, PagingKind.Shadow); // A fiftieth of it may be tables.
        var kernel = bench.Boot(firstPage: 2048, pages: 1, out _);
        var processes = Enumerable.Range(0, 40).Select(p => kernel.TryCreateProcess(new GuestRegion(At, 2048 + p, 1))!).ToArray();

        for (var round = 0; round < 2; round++)
        {
            foreach (var (process, number) in processes.Select((p, n) => (p, n)))
            {
                kernel.SwitchTo(process);
                Assert.Equal(2048 + number, Touch(bench, kernel, 0, PageAccess.Write));
                Assert.InRange(bench.Method.TableFrames, 1, bench.Memory.Pages / 50);
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Frames_of_tables_go_back_when_the_guest_is_off(bool shadow)
    {
        var bench = new PagingBench(64 * MiB, shadow ? PagingKind.Shadow : PagingKind.Ept);
        var kernel = bench.Boot(firstPage: 4096, pages: 100, out _);
        bench.Memory.StartDirtyLog();
        Touch(bench, kernel, 0, PageAccess.Write);
        Assert.InRange(bench.Host.TableFrames, 1, long.MaxValue);
        Assert.Equal(bench.Host.TableFrames, bench.Method.TableFrames);

        bench.Method.Release();

        Assert.Equal((0, 0), (bench.Host.TableFrames, bench.Method.TableFrames));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Two_guests_on_one_CPU_need_tags_to_keep_their_entries(bool tagged)
    {
        var tlb = new Tlb(tagged ? TlbTagging.VmAndProcess : TlbTagging.None);
        var host = new HostMemory();
        var benches = new[] { 1, 2 }.Select(n => new PagingBench(64 * MiB, PagingKind.Ept, tlb: tlb, host: host, vm: (ushort)n)).ToArray();
        var kernels = benches.Select(b => b.Boot(firstPage: 4096, pages: 8, out _)).ToArray();
        for (var turn = 0; turn < 4; turn++)
        {
            tlb.OnVmSwitch();
            for (var page = 0; page < 8; page++)
                Assert.Equal(4096 + page, Touch(benches[turn % 2], kernels[turn % 2], page));
        }
        var (hits, misses) = (tlb.Hits, tlb.Misses);

        for (var turn = 0; turn < 4; turn++)
        {
            tlb.OnVmSwitch();
            for (var page = 0; page < 8; page++)
                Touch(benches[turn % 2], kernels[turn % 2], page);
        }

        Assert.Equal(tagged ? (32, 0) : (0, 32), (tlb.Hits - hits, tlb.Misses - misses));
    }

    [Fact]
    public void Whatever_exits_an_untagged_TLB_is_empty_after_it()
    {
        var bench = new PagingBench(64 * MiB, PagingKind.Ept, TlbTagging.None);
        var kernel = bench.Boot(firstPage: 4096, pages: 8, out _);
        Touch(bench, kernel, 0);
        Touch(bench, kernel, 0);
        var misses = bench.Cpu.Tlb.Misses;

        bench.Exits.Count(ExitReason.IoInstruction);
        Touch(bench, kernel, 0);

        Assert.Equal(misses + 1, bench.Cpu.Tlb.Misses);
    }
}

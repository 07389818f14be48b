using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Paging;

namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>A guest on a host of its own that does nothing but use its memory, in one of three ways.</summary>
internal sealed class PagingRun
{
    private const long MemoryMiB = 2048;
    private const long FirstTablePage = 256;
    private const long MaxTablePages = 1024;
    private const long FirstProgramPage = 8192;
    private const long ProgramBase = 0x40_0000;

    private readonly GuestKernel kernel;
    private readonly List<GuestProcess> processes = [];

    /// <param name="ept">The second dimension's format; null: shadow tables.</param>
    public PagingRun(PageFormat guest, PageFormat? ept, int leafLevel = 1, TlbTagging tagging = TlbTagging.Vm)
    {
        var host = new HostMemory();
        var memory = new GuestMemory(MemoryMiB * 1024 * 1024);
        var firstFrame = host.Allocate(memory, PageFormat.Ept.PagesOf(leafLevel));
        Method = ept is null
            ? new ShadowPaging(host, memory, firstFrame, Exits, guest)
            : new EptPaging(host, guest, new ExtendedPageTables(host, memory, firstFrame, Exits, ept, leafLevel));
        memory.CpuWrites = Method;
        Cpu = new Mmu(Method, host, new Tlb(tagging), Exits, vm: 1);
        kernel = new GuestKernel(Cpu, memory, guest, FirstTablePage, MaxTablePages);
        KernelBase = guest.KernelBase;
    }

    public IPagingMethod Method { get; }

    public Mmu Cpu { get; }

    public ExitCounters Exits { get; } = new();

    /// <summary>Where the kernel has all of memory, in its largest pages.</summary>
    public long KernelBase { get; }

    public long TableKiB => Method.TableFrames * GuestMemory.PageBytes / 1024;

    /// <summary>A server with many processes: each runs for a moment and uses eight pages.</summary>
    public void SwitchHeavy(int switches = 4000, int programs = 32)
    {
        AddProcesses(programs, pages: 8);
        for (var turn = 0; turn < switches; turn++)
        {
            kernel.SwitchTo(processes[turn % programs]);
            for (var page = 0; page < 8; page++)
                Touch(page, PageAccess.Read);
        }
    }

    /// <summary>Files mapped and unmapped, pages handed out and taken back.</summary>
    public void MapHeavy(int maps = 4000)
    {
        AddProcesses(1, pages: 64);
        for (var turn = 0; turn < maps; turn++)
        {
            Touch(turn % 64, PageAccess.Write);
            kernel.Unmap(ProgramBase + (turn % 64 * GuestMemory.PageBytes));
        }
    }

    /// <summary>One program reads all over far more memory than the TLB knows.</summary>
    public void WalkHeavy(int reads = 200_000, int pages = 16_384)
    {
        AddProcesses(1, pages);
        ulong draw = 4711;
        for (var turn = 0; turn < reads; turn++)
        {
            draw ^= draw >> 12;
            draw ^= draw << 25;
            draw ^= draw >> 27;
            Touch((long)(draw * 2685821657736338717UL % (ulong)pages), PageAccess.Read);
        }
    }

    /// <summary>References of the walk after a miss, when all that it needs is mapped.</summary>
    public long ReferencesOfMiss(long address)
    {
        Cpu.TryAccess(address, PageAccess.Read, out _);
        Cpu.Tlb.FlushAll();
        var before = Method.Counters.References;
        Cpu.TryAccess(address, PageAccess.Read, out _);
        return Method.Counters.References - before;
    }

    /// <summary>Maps one page into a process; its address is the answer.</summary>
    public long MapOnePage()
    {
        AddProcesses(1, pages: 1);
        Touch(0, PageAccess.Write);
        return ProgramBase;
    }

    private void AddProcesses(int count, long pages)
    {
        for (var number = 0; number < count; number++)
        {
            processes.Add(kernel.TryCreateProcess(new GuestRegion(ProgramBase, FirstProgramPage + (number * pages), pages))
                ?? throw new InvalidOperationException("The guest has no room for the tables of another process."));
        }
        kernel.SwitchTo(processes[0]);
    }

    private void Touch(long page, PageAccess access)
    {
        if (!kernel.TryTouch(ProgramBase + (page * GuestMemory.PageBytes), access, out _))
            throw new InvalidOperationException($"The program may not touch its page {page}.");
    }
}

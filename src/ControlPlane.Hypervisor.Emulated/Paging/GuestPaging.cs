using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Paging;

/// <summary>
/// Virtual memory of one running guest: its vCPU's MMU, the VMM's tables for it, and its kernel with a program whose working set is mapped as it
/// is touched. Nothing of this exists before the guest's memory is first looked at.
/// </summary>
internal sealed class GuestPaging(HostMemory host, GuestMemory memory, long firstFrame, ExitCounters exits, PagingOptions options) : ICounting, IWriteTracker
{
    /// <summary>Where the program's working set is, in its own addresses.</summary>
    private const long ProgramBase = 0x5555_5555_0000 & ~0x1F_FFFFL;

    /// <summary>A daemon runs now and then, so that the CPU changes processes as in any guest.</summary>
    private const long DaemonBase = 0x7F00_0000_0000;

    private const long DaemonPages = 16;

    private const int ReferencesPerTurn = 32;

    /// <summary>Tables of the guest lie from 1 MiB on, and end before what its drivers put at 16 MiB.</summary>
    private const long MaxTablePages = 3840 - DaemonPages;

    private IPagingMethod? method;
    private Mmu? mmu;
    private GuestKernel? kernel;
    private GuestProcess? program;
    private GuestProcess? daemon;
    private long workingSetPage;
    private long workingSetPages;
    private int turn;

    /// <summary>Host frames that the VMM spends on tables for this guest.</summary>
    public long TableFrames => method?.TableFrames ?? 0;

    /// <summary>Guest pages that hold its own tables.</summary>
    public long GuestTablePages => kernel?.TablePages ?? 0;

    public bool IsInUse => method is not null;

    /// <summary>What the program works on; told before the first access.</summary>
    public void SetWorkingSet(long firstPage, long pages) => (workingSetPage, workingSetPages) = (firstPage, pages);

    /// <summary>
    /// The program reads or writes a page of its working set: through the TLB, on a miss through the tables, with all faults on the way. False: the
    /// guest has no room for more tables, and of a write only the log hears.
    /// </summary>
    public bool TryReference(long page, PageAccess access, out long hostAddress)
    {
        var guest = kernel ?? Boot();
        if (!guest.TryTouch(ProgramBase + (page << PageFormat.PageShift), access, out hostAddress))
        {
            if (access == PageAccess.Write && !Method().TryWritePage(workingSetPage + page))
                memory.LogWrite(workingSetPage + page);
            return false;
        }
        if (++turn % ReferencesPerTurn == 0)
            RunDaemon(guest);
        return true;
    }

    /// <summary>
    /// The program writes to a page. Of the CPU's ways only the one is taken that the dirty log depends on: with extended tables the walk that
    /// sets the dirty flag, with shadow tables the whole access, since only its fault shows the write.
    /// </summary>
    public void Write(long page)
    {
        if (!memory.IsLogged(workingSetPage + page) && !Method().TryWritePage(workingSetPage + page))
            TryReference(page, PageAccess.Write, out _);
    }

    /// <summary>The guest arrives from another host: its memory, with its kernel's tables in it, is here already; the registers follow.</summary>
    public void TakeOver(GuestPaging other)
    {
        if (other.kernel is null)
            return;
        (kernel, program, daemon, turn) = (other.kernel, other.program, other.daemon, other.turn);
        (workingSetPage, workingSetPages) = (other.workingSetPage, other.workingSetPages);
        kernel.MoveTo(Cpu());
        other.kernel = null;
    }

    public void Release()
    {
        memory.CpuWrites = null;
        method?.Release();
        (method, mmu, kernel, program, daemon) = (null, null, null, null, null);
    }

    public void StartLogging() => method?.StartLogging();

    public void StopLogging() => method?.StopLogging();

    public void Drain() => method?.Drain();

    public void Rearm(PageBitmap taken) => method?.Rearm(taken);

    public void CountInto(CounterSheet sheet)
    {
        if (mmu is null)
            return;
        mmu.CountInto(sheet);
        sheet.Add("paging", "guest-table-bytes", GuestTablePages * GuestMemory.PageBytes);
    }

    private void RunDaemon(GuestKernel guest)
    {
        guest.SwitchTo(daemon!);
        for (var page = 0; page < DaemonPages / 4; page++)
            guest.TryTouch(DaemonBase + (page << PageFormat.PageShift), PageAccess.Read, out _);
        guest.SwitchTo(program!);
    }

    private GuestKernel Boot()
    {
        // Small guests have what larger ones have, nearer to each other.
        var first = Math.Min(256, memory.Pages / 4);
        var tables = Math.Clamp(memory.Pages / 16, 8, MaxTablePages);
        kernel = new GuestKernel(Cpu(), memory, PageFormat.FourLevel, first, tables);
        daemon = kernel.TryCreateProcess(new GuestRegion(DaemonBase, first + tables, DaemonPages));
        program = kernel.TryCreateProcess(new GuestRegion(ProgramBase, workingSetPage, workingSetPages));
        kernel.SwitchTo(program!);
        return kernel;
    }

    private Mmu Cpu() => mmu ??= new Mmu(Method(), host, new Tlb(options.Tagging), exits, vm: 1);

    private IPagingMethod Method()
    {
        if (method is not null)
            return method;
        method = options.Kind == PagingKind.Shadow
            ? new ShadowPaging(host, memory, firstFrame, exits, PageFormat.FourLevel)
            : new EptPaging(host, PageFormat.FourLevel, new ExtendedPageTables(host, memory, firstFrame, exits, PageFormat.Ept, options.LeafLevel));
        if (memory.IsLogging)
            method.StartLogging();
        return method;
    }
}

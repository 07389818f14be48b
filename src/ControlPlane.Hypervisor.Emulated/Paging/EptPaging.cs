using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Paging;

/// <summary>
/// Nested paging: the guest owns its tables and its CR3, and the CPU walks both dimensions itself. Only pages that the VMM has not mapped yet are
/// exits; the price is the longer walk.
/// </summary>
internal sealed class EptPaging : IPagingMethod
{
    private readonly HostMemory host;
    private readonly PageFormat guestFormat;
    private readonly ExtendedPageTables tables;
    private readonly NestedMemory nested;

    public EptPaging(HostMemory host, PageFormat guestFormat, ExtendedPageTables tables)
    {
        this.host = host;
        this.guestFormat = guestFormat;
        this.tables = tables;
        nested = new NestedMemory(host, tables, Counters);
    }

    public Action Invalidate
    {
        set => tables.Invalidate = value;
    }

    public long TableFrames => tables.TableFrames;

    public WalkCounters Counters { get; } = new();

    public void LoadRoot(long root)
    {
        // No exit: "CR3-load exiting" is off.
    }

    public void InvalidatePage(long root, long address)
    {
        // No exit either: "INVLPG exiting" is off, and nothing of the VMM depends on the guest's tables.
    }

    public Translation Resolve(long root, long address, PageAccess access)
    {
        Counters.Walks++;
        while (true)
        {
            var first = PageWalker.Walk(nested, guestFormat, root, address, access, Counters);
            if (first.End == WalkEnd.TableUnreachable)
            {
                tables.OnViolation(nested.Violation);
                continue;
            }
            if (first.End != WalkEnd.Mapped)
                return new Translation(TranslationEnd.GuestFault);
            var second = tables.Walk(first.Address, access, Counters);
            if (second.End != WalkEnd.Mapped)
            {
                tables.OnViolation(first.Address);
                continue;
            }
            var written = access == PageAccess.Write
                || (first.Writable && second.Writable && (first.Entry & guestFormat.Dirty) != 0 && (second.Entry & tables.Format.Dirty) != 0);
            return new Translation(
                TranslationEnd.Mapped, second.Address, first.Address,
                Math.Min(guestFormat.ShiftOf(first.Level), tables.Format.ShiftOf(second.Level)), written, (first.Entry & PageFormat.Global) != 0);
        }
    }

    public long TranslatePhysical(long guestAddress) => tables.Reach(guestAddress, Counters);

    public void CarryOutWrite(long guestAddress, int bytes, ulong value) => host.WriteEntry(TranslatePhysical(guestAddress), bytes, value);

    public bool TryWritePage(long page)
    {
        tables.WritePage(page);
        return true;
    }

    public void StartLogging() => tables.StartLogging();

    public void StopLogging() => tables.StopLogging();

    public void Drain() => tables.Drain();

    public void Rearm(PageBitmap taken) => tables.Rearm(taken);

    public void Release() => tables.Release();

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("paging", "ept-violations", tables.Violations);
        sheet.Add("paging", "large-page-splits", tables.Splits);
        sheet.Add("paging", "logged-writes", tables.LoggedWrites);
    }
}

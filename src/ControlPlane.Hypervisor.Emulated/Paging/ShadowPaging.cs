using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Paging;

/// <summary>
/// Shadow paging, for CPUs that walk one set of tables only: the VMM keeps tables from guest-virtual to host-physical addresses and follows the
/// guest's own. It has to see each change of those: writes to CR3 and INVLPG exit, pages with tables are write-protected, and page faults come to
/// the VMM first. A fault of which the guest's own tables know nothing is hidden from it; any other is its own and is forwarded.
/// </summary>
/// <remarks>Shadows have the format of the guest's tables, so those have entries of 8 bytes: host addresses do not fit into smaller ones.</remarks>
internal sealed class ShadowPaging : IPagingMethod
{
    /// <summary>Shadow tables may take a fiftieth of what the guest has (KVM: <c>KVM_PERMILLE_MMU_PAGES</c>), then all are made anew.</summary>
    private const long PagesPerTable = 50;

    private readonly HostMemory host;
    private readonly GuestMemory guest;
    private readonly long firstFrame;
    private readonly ExitCounters exits;
    private readonly PageFormat format;
    private readonly ShadowTables shadows;
    private readonly VmmView guestTables;
    private readonly WalkCounters byVmm = new();
    private readonly long maxTables;
    private Action invalidate = () => { };
    private bool logging;
    private long hiddenFaults;
    private long forwardedFaults;
    private long carriedOutWrites;

    public ShadowPaging(HostMemory host, GuestMemory guest, long firstFrame, ExitCounters exits, PageFormat format)
    {
        if (format.EntryBytes != sizeof(ulong))
            throw new ArgumentException("Only tables with entries of 8 bytes are shadowed.", nameof(format));
        (this.host, this.guest, this.firstFrame, this.exits, this.format) = (host, guest, firstFrame, exits, format);
        shadows = new ShadowTables(host, format);
        guestTables = new VmmView(guest);
        maxTables = Math.Max(64, guest.Pages / PagesPerTable);
    }

    public Action Invalidate
    {
        set => invalidate = value;
    }

    public long TableFrames => shadows.Count;

    public WalkCounters Counters { get; } = new();

    public void LoadRoot(long root)
    {
        exits.Count(ExitReason.ControlRegister);
        MakeRoom();
        RootOf(root);
    }

    public void InvalidatePage(long root, long address)
    {
        exits.Count(ExitReason.Invlpg);
        var walk = PageWalker.Walk(host, format, RootOf(root), address, PageAccess.Look, byVmm);
        if (walk.End == WalkEnd.Mapped)
            host.WriteEntry(walk.EntryAddress, format.EntryBytes, 0);
    }

    public Translation Resolve(long root, long address, PageAccess access)
    {
        Counters.Walks++;
        while (true)
        {
            var walk = PageWalker.Walk(host, format, RootOf(root), address, access, Counters);
            if (walk.End == WalkEnd.Mapped)
            {
                return new Translation(
                    TranslationEnd.Mapped, walk.Address, walk.Address - (firstFrame << PageFormat.PageShift), PageFormat.PageShift,
                    walk.Writable && (walk.Entry & format.Dirty) != 0, (walk.Entry & PageFormat.Global) != 0);
            }
            exits.Count(ExitReason.Exception);
            var mapped = PageWalker.Walk(guestTables, format, root, address, access, byVmm);
            if (mapped.End != WalkEnd.Mapped)
            {
                forwardedFaults++;
                return new Translation(TranslationEnd.GuestFault);
            }
            if (access == PageAccess.Write && shadows.IsTable(mapped.Address >> PageFormat.PageShift))
                return new Translation(TranslationEnd.CarriedOut, (firstFrame << PageFormat.PageShift) + mapped.Address, mapped.Address);
            hiddenFaults++;
            Fill(root, address, mapped, access);
        }
    }

    /// <summary>Without paging the guest runs on a table of the VMM's that maps all as it is.</summary>
    public long TranslatePhysical(long guestAddress)
    {
        guest.LogWrite(guestAddress >> PageFormat.PageShift);
        return (firstFrame << PageFormat.PageShift) + guestAddress;
    }

    public void CarryOutWrite(long guestAddress, int bytes, ulong value)
    {
        carriedOutWrites++;
        guest.WriteEntry(guestAddress, bytes, value);
        guest.LogWrite(guestAddress >> PageFormat.PageShift);
        if (shadows.Drop(guestAddress))
            invalidate();
    }

    public bool TryWritePage(long page) => false;

    public void StartLogging()
    {
        logging = true;
        shadows.Protect(_ => true);
        invalidate();
    }

    public void StopLogging() => logging = false;

    public void Drain()
    {
        // The log has it already: each first write to a page was a fault.
    }

    public void Rearm(PageBitmap taken)
    {
        if (shadows.Protect(frame => taken.Contains(frame - firstFrame)))
            invalidate();
    }

    public void Release() => shadows.Clear();

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("paging", "hidden-faults", hiddenFaults);
        sheet.Add("paging", "forwarded-faults", forwardedFaults);
        sheet.Add("paging", "carried-out-writes", carriedOutWrites);
        sheet.Add("paging", "vmm-references", byVmm.References);
    }

    private void Fill(long root, long address, PageWalk mapped, PageAccess access)
    {
        MakeRoom();
        var (shadow, table) = (RootOf(root), root);
        for (var level = format.Levels; level > 1; level--)
        {
            var key = new ShadowKey(mapped.Address >> format.ShiftOf(level) << (format.ShiftOf(level) - PageFormat.PageShift), level - 1, true);
            if (level > mapped.Level)
            {
                guest.TryReadEntry(format.EntryAddress(table, address, level), format.EntryBytes, out var branch);
                table = format.AddressOf(branch);
                key = new ShadowKey(table >> PageFormat.PageShift, level - 1, false);
            }
            var at = format.EntryAddress(shadow, address, level);
            shadow = TableOf(key);
            if (!host.TryReadEntry(at, format.EntryBytes, out var present) || format.AddressOf(present) != shadow)
                host.WriteEntry(at, format.EntryBytes, format.Branch(shadow));
        }
        host.WriteEntry(format.EntryAddress(shadow, address, 1), format.EntryBytes, LeafFor(mapped, access));
    }

    private void MakeRoom()
    {
        if (shadows.Count + format.Levels <= maxTables)
            return;
        shadows.Clear();
        invalidate();
    }

    /// <summary>Writable only once the guest's dirty flag is set, and while writes are logged only once the page is in the log: else both would be missed.</summary>
    private ulong LeafFor(PageWalk mapped, PageAccess access)
    {
        var page = mapped.Address >> PageFormat.PageShift;
        if (access == PageAccess.Write)
            guest.LogWrite(page);
        var leaf = format.Leaf((firstFrame + page) << PageFormat.PageShift, 1) | (mapped.Entry & PageFormat.Global);
        var writable = mapped.Writable && (mapped.Entry & format.Dirty) != 0 && (!logging || guest.IsLogged(page)) && !shadows.IsTable(page);
        return writable ? leaf : leaf & ~PageFormat.Writable;
    }

    private long RootOf(long root) => TableOf(new ShadowKey(root >> PageFormat.PageShift, format.Levels, false));

    /// <summary>The address of a table's shadow. From the first on, the guest's writes to the table have to be seen.</summary>
    private long TableOf(ShadowKey key)
    {
        var frame = shadows.Find(key);
        if (frame < 0)
        {
            frame = shadows.Add(key);
            if (!key.IsDirect && shadows.Protect(f => f == firstFrame + key.Page))
                invalidate();
        }
        return frame * GuestMemory.PageBytes;
    }

    /// <summary>A guest's tables as the VMM's software reads them; a flag that it sets is a write of the VMM's.</summary>
    private sealed class VmmView(GuestMemory guest) : ITableMemory
    {
        public bool TryReadEntry(long address, int bytes, out ulong entry) => guest.TryReadEntry(address, bytes, out entry);

        public void WriteEntry(long address, int bytes, ulong entry)
        {
            guest.WriteEntry(address, bytes, entry);
            guest.LogWrite(address >> PageFormat.PageShift);
        }
    }
}

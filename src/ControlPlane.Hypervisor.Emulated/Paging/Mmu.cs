using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Paging;

/// <summary>A vCPU's way to memory: its TLB first, and on a miss what the paging method does.</summary>
internal sealed class Mmu : ICounting
{
    private readonly IPagingMethod method;
    private readonly HostMemory host;
    private readonly Tlb tlb;
    private readonly ExitCounters exits;
    private readonly ushort vm;
    private ushort process;
    private long seenExits;
    private long guestFaults;

    /// <param name="vm">The guest's VPID, by which a tagged TLB knows it.</param>
    public Mmu(IPagingMethod method, HostMemory host, Tlb tlb, ExitCounters exits, ushort vm)
    {
        (this.method, this.host, this.tlb, this.exits, this.vm) = (method, host, tlb, exits, vm);
        seenExits = exits.Total;
        method.Invalidate = () => tlb.FlushVm(vm);
    }

    /// <summary>CR3: the guest-physical address of the root.</summary>
    public long Root { get; private set; }

    public IPagingMethod Method => method;

    public Tlb Tlb => tlb;

    /// <summary>MOV to CR3 by the guest.</summary>
    public void LoadRoot(long root, ushort pcid)
    {
        method.LoadRoot(root);
        (Root, process) = (root, pcid);
        tlb.OnProcessSwitch(vm);
    }

    /// <summary>The register comes with the guest's state, from the VMM that had it before.</summary>
    public void Restore(long root, ushort pcid) => (Root, process) = (root, pcid);

    public void InvalidatePage(long address)
    {
        method.InvalidatePage(Root, address);
        tlb.InvalidatePage(new TlbTag(vm, process), address);
    }

    /// <summary>Translates for an access by the guest; false: it is a page fault, and the guest's kernel's to handle.</summary>
    public bool TryAccess(long address, PageAccess access, out long hostAddress) => TryTranslate(address, access, out hostAddress, out _);

    public bool TryLoad(long address, int bytes, out ulong value)
    {
        value = 0;
        return TryTranslate(address, PageAccess.Read, out var hostAddress, out _) && host.TryReadEntry(hostAddress, bytes, out value);
    }

    public bool TryStore(long address, int bytes, ulong value)
    {
        if (!TryTranslate(address, PageAccess.Write, out var hostAddress, out var carriedOutAt))
            return false;
        if (carriedOutAt is { } guestAddress)
            method.CarryOutWrite(guestAddress, bytes, value);
        else
            host.WriteEntry(hostAddress, bytes, value);
        return true;
    }

    /// <summary>A store while paging is off, as a kernel does before it has made its first tables.</summary>
    public void StorePhysical(long guestAddress, int bytes, ulong value) => host.WriteEntry(method.TranslatePhysical(guestAddress), bytes, value);

    public void CountInto(CounterSheet sheet)
    {
        tlb.CountInto(sheet);
        sheet.Add("paging", "walks", method.Counters.Walks);
        sheet.Add("paging", "walk-references", method.Counters.References);
        sheet.Add("paging", "flag-updates", method.Counters.FlagUpdates);
        sheet.Add("paging", "guest-faults", guestFaults);
        method.CountInto(sheet);
        sheet.Add("paging", "table-bytes", method.TableFrames * GuestMemory.PageBytes);
    }

    private bool TryTranslate(long address, PageAccess access, out long hostAddress, out long? carriedOutAt)
    {
        carriedOutAt = null;
        NoteExits();
        var owner = new TlbTag(vm, process);
        if (tlb.TryFind(owner, address, access == PageAccess.Write, out hostAddress))
            return true;
        var found = method.Resolve(Root, address, access);
        NoteExits();
        hostAddress = found.HostAddress;
        switch (found.End)
        {
            case TranslationEnd.Mapped:
                tlb.Insert(owner, address, found.Shift, found.HostAddress, found.Written, found.Global);
                return true;
            case TranslationEnd.CarriedOut:
                carriedOutAt = found.GuestAddress;
                return true;
            default:
                guestFaults++;
                return false;
        }
    }

    /// <summary>Whatever made the CPU leave the guest since it last translated, an untagged TLB is empty after it.</summary>
    private void NoteExits()
    {
        if (exits.Total == seenExits)
            return;
        seenExits = exits.Total;
        tlb.OnVmSwitch();
    }
}

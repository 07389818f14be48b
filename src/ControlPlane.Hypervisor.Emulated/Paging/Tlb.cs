using System.Numerics;
using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Paging;

/// <summary>Whose translations may stay in a TLB when somebody else runs.</summary>
internal enum TlbTagging
{
    /// <summary>Entries do not say whose they are: flushed with every switch of process and whenever the CPU leaves or enters a guest (SDM 28.4.3.1).</summary>
    None,

    /// <summary>By VM (VPID, or AMD's ASID): flushed with a switch of process only.</summary>
    Vm,

    /// <summary>By VM and process (VPID and PCID).</summary>
    VmAndProcess,
}

/// <summary>A CPU's translation lookaside buffer, of one size and set-associative; within a set the oldest entry makes room.</summary>
internal sealed class Tlb(TlbTagging tagging, int sets = 128, int ways = 12) : ICounting
{
    private readonly byte[] next = new byte[sets];
    private readonly Entry[] entries = new Entry[sets * ways];

    /// <summary>Sizes of pages that may be inside, a bit for each shift: most CPUs never look for those that are not.</summary>
    private ulong shifts;

    public TlbTagging Tagging => tagging;

    public int Capacity => entries.Length;

    public long Hits { get; private set; }

    public long Misses { get; private set; }

    public long Flushes { get; private set; }

    /// <summary>Looks a page up. A write finds only an entry that allows it and whose dirty flags are set: else tables have to be walked.</summary>
    public bool TryFind(TlbTag owner, long address, bool write, out long hostAddress)
    {
        for (var left = shifts; left != 0; left &= left - 1)
        {
            var shift = BitOperations.TrailingZeroCount(left);
            var page = address >> shift;
            var first = SetOf(page) * ways;
            for (var way = first; way < first + ways; way++)
            {
                ref var entry = ref entries[way];
                if (entry.Page != page || entry.Shift != shift || !Matches(entry, owner) || (write && !entry.Written))
                    continue;
                Hits++;
                hostAddress = entry.HostPage | (address & ((1L << shift) - 1));
                return true;
            }
        }
        Misses++;
        hostAddress = 0;
        return false;
    }

    /// <param name="written">The page is writable, and its dirty flags are set.</param>
    /// <param name="global">The page is the same in every process of the guest.</param>
    public void Insert(TlbTag owner, long address, int shift, long hostAddress, bool written, bool global)
    {
        shifts |= 1UL << shift;
        var page = address >> shift;
        var set = SetOf(page);
        var at = FindPlace(owner, page, shift, set);
        entries[at] = new Entry
        {
            Page = page, HostPage = hostAddress >> shift << shift, Owner = Tagged(owner), Shift = (byte)shift, Written = written, Global = global,
        };
    }

    public void FlushAll()
    {
        Flushes++;
        Array.Clear(entries);
        shifts = 0;
    }

    /// <summary>INVEPT or INVVPID of a whole guest: the VMM changed what its pages mean. Without tags that is all there is.</summary>
    public void FlushVm(ushort vm)
    {
        if (tagging == TlbTagging.None)
            FlushAll();
        else
            Flush(e => e.Owner.Vm == vm);
    }

    /// <summary>MOV to CR3: without tags of processes, what is not global goes.</summary>
    public void OnProcessSwitch(ushort vm)
    {
        if (tagging != TlbTagging.VmAndProcess)
            Flush(e => e.Owner.Vm == Tagged(new TlbTag(vm, 0)).Vm && !e.Global);
    }

    /// <summary>The CPU left a guest or entered another: without tags of VMs, everything goes.</summary>
    public void OnVmSwitch()
    {
        if (tagging == TlbTagging.None)
            FlushAll();
    }

    /// <summary>INVLPG: the page's entries go, also global ones.</summary>
    public void InvalidatePage(TlbTag owner, long address)
    {
        for (var left = shifts; left != 0; left &= left - 1)
        {
            var shift = BitOperations.TrailingZeroCount(left);
            var first = SetOf(address >> shift) * ways;
            for (var way = first; way < first + ways; way++)
            {
                if (entries[way].Page == address >> shift && entries[way].Shift == shift && Matches(entries[way], owner))
                    entries[way] = default;
            }
        }
    }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("tlb", "hits", Hits);
        sheet.Add("tlb", "misses", Misses);
        sheet.Add("tlb", "flushes", Flushes);
    }

    private void Flush(Predicate<Entry> goes)
    {
        Flushes++;
        for (var i = 0; i < entries.Length; i++)
        {
            if (entries[i].Shift != 0 && goes(entries[i]))
                entries[i] = default;
        }
    }

    /// <summary>An entry of the same page is replaced, else a free place is taken, else the set's oldest.</summary>
    private int FindPlace(TlbTag owner, long page, int shift, int set)
    {
        var free = -1;
        for (var way = 0; way < ways; way++)
        {
            ref var entry = ref entries[(set * ways) + way];
            if (entry.Page == page && entry.Shift == shift && Matches(entry, owner))
                return (set * ways) + way;
            if (entry.Shift == 0 && free < 0)
                free = (set * ways) + way;
        }
        if (free >= 0)
            return free;
        var oldest = (set * ways) + next[set];
        next[set] = (byte)((next[set] + 1) % ways);
        return oldest;
    }

    private int SetOf(long page) => (int)((ulong)page % (ulong)sets);

    private bool Matches(in Entry entry, TlbTag owner)
    {
        var tag = Tagged(owner);
        return entry.Owner.Vm == tag.Vm && (entry.Global || entry.Owner.Process == tag.Process);
    }

    private TlbTag Tagged(TlbTag owner) => tagging switch
    {
        TlbTagging.None => default,
        TlbTagging.Vm => owner with { Process = 0 },
        _ => owner,
    };

    private struct Entry
    {
        public long Page;
        public long HostPage;
        public TlbTag Owner;
        public byte Shift;
        public bool Written;
        public bool Global;
    }
}

/// <summary>Whose translation an entry is.</summary>
/// <param name="Vm">The VPID.</param>
/// <param name="Process">The PCID.</param>
internal readonly record struct TlbTag(ushort Vm, ushort Process);

using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Iommu;

/// <summary>An entry of the interrupt remapping table (VT-d 9.9 and 9.10).</summary>
/// <param name="Source">Whose messages it takes; another's are blocked (SVT 01b, all 16 bits compared).</param>
/// <param name="Vector">Of the guest where it is posted, else of the host.</param>
/// <param name="Posted">Where the guest's interrupts are collected, in posted mode; null: the host is interrupted.</param>
/// <param name="Handler">The host's handler of the vector, in remapped mode.</param>
internal sealed record InterruptEntry(PciAddress Source, byte Vector, PostedInterruptDescriptor? Posted, Action? Handler);

/// <summary>The interrupt half of a host's IOMMU. A message is taken only in the remappable format and from the function that the entry names.</summary>
internal sealed class InterruptRemapper : ICounting
{
    /// <summary>Entries of the largest table.</summary>
    public const int MaxEntries = 65_536;

    private readonly List<InterruptEntry?> table = [];
    private readonly Stack<int> free = new();
    private readonly Dictionary<int, InterruptEntry> cache = [];
    private readonly RequestTranslator translator;

    public InterruptRemapper(RequestTranslator translator)
    {
        this.translator = translator;
        translator.OnInterruptEntry = index => cache.Remove(index);
    }

    public long RemappedInterrupts { get; private set; }

    public long PostedInterrupts { get; private set; }

    public long BlockedInterrupts { get; private set; }

    public long CacheHits { get; private set; }

    public int UsedEntries => table.Count - free.Count;

    /// <summary>Null: the table is full.</summary>
    public int? Allocate(InterruptEntry entry)
    {
        if (free.TryPop(out var index))
        {
            table[index] = entry;
            return index;
        }
        if (table.Count == MaxEntries)
            return null;
        table.Add(entry);
        return table.Count - 1;
    }

    /// <summary>Software changes an entry; the hardware must be told, or it goes on with the one that it has cached.</summary>
    public void Change(int index, InterruptEntry? entry)
    {
        if (table[index] is not null && entry is null)
            free.Push(index);
        table[index] = entry;
        translator.Queue.Submit(new InvalidationDescriptor(InvalidationKind.InterruptEntry, First: index));
        translator.Queue.Wait();
    }

    /// <summary>A device's message arrives. True when it was taken; otherwise it is blocked and recorded.</summary>
    public bool Take(PciAddress function, long address)
    {
        var requester = translator.RequesterIdOf(function);
        if (InterruptMessages.IndexOf(address) is not { } index)
            return Block(requester, address, DmaFaultReason.InterruptNotRemappable);
        if (index >= table.Count)
            return Block(requester, (long)index << 48, DmaFaultReason.InterruptIndexTooLarge);
        if (cache.TryGetValue(index, out var entry))
            CacheHits++;
        else if ((entry = table[index]) is not null)
            cache[index] = entry;
        if (entry is null)
            return Block(requester, (long)index << 48, DmaFaultReason.InterruptNotPresent);
        if (entry.Source != requester)
            return Block(requester, (long)index << 48, DmaFaultReason.InterruptOfAnother);
        if (entry.Posted is { } posted)
        {
            PostedInterrupts++;
            posted.Post(entry.Vector);
            return true;
        }
        RemappedInterrupts++;
        entry.Handler?.Invoke();
        return true;
    }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("interrupt-remapping", "remapped", RemappedInterrupts);
        sheet.Add("interrupt-remapping", "posted", PostedInterrupts);
        sheet.Add("interrupt-remapping", "blocked", BlockedInterrupts);
        sheet.Add("interrupt-remapping", "cache-hits", CacheHits);
        sheet.Add("interrupt-remapping", "used-entries", UsedEntries);
    }

    private bool Block(PciAddress requester, long address, DmaFaultReason reason)
    {
        BlockedInterrupts++;
        translator.Faults.Record(requester, address, isWrite: true, reason);
        return false;
    }
}

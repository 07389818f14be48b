using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Iommu;

/// <summary>
/// A host's IOMMU: which requester is in which protection domain, and the way that every access of a device takes into memory.
/// </summary>
/// <param name="requesterIdOf">The id that a function's requests carry when they reach the IOMMU; null: its own.</param>
internal sealed class DmaRemapper(HostMemory memory, ModelClock clock, Func<PciAddress, PciAddress>? requesterIdOf = null) : ICounting
{
    public const int MaxFaults = FaultLog.MaxRecords;

    private readonly Dictionary<int, (ProtectionDomain Domain, PciAddress[] Requesters)> attached = [];
    private readonly RequestTranslator translator = new(requesterIdOf ?? (address => address), new FaultLog(clock));
    private readonly Stack<int> freeIds = new();
    private long[] frames = new long[4];
    private int nextId = 1;

    /// <summary>Blocked requests, oldest first.</summary>
    public IReadOnlyCollection<DmaFault> Faults => FaultLog.Records;

    /// <summary>Blocked requests since the host started, also those no longer kept.</summary>
    public long FaultCount => FaultLog.Total;

    public long ReadCount { get; private set; }

    public long WriteCount { get; private set; }

    public FaultLog FaultLog => translator.Faults;

    public Iotlb Iotlb => translator.Iotlb;

    public InvalidationQueue Queue => translator.Queue;

    public RequestTranslator Translator => translator;

    /// <summary>Takes what devices write to the addresses of the interrupt controllers; null: nobody does, and such a write is lost.</summary>
    public Func<PciAddress, long, uint, bool>? OnInterruptMessage { get; set; }

    public ProtectionDomain? DomainOf(int group) => attached.TryGetValue(group, out var present) ? present.Domain : null;

    /// <summary>A group is in one domain at a time, whole: each of its members gets a context entry.</summary>
    public void Attach(int group, ProtectionDomain domain, IEnumerable<PciAddress> members)
    {
        if (attached.TryGetValue(group, out var present))
        {
            if (present.Domain != domain)
                throw new InvalidOperationException($"IOMMU group {group} is attached to another domain.");
            return;
        }
        if (domain.Id == 0)
            domain.Id = freeIds.TryPop(out var id) ? id : nextId++;
        var requesters = members.Select(translator.RequesterIdOf).Distinct().ToArray();
        foreach (var requester in requesters)
            translator.SetContext(requester, new ContextEntry(domain, AllowsAts: false));
        Queue.Wait();
        attached[group] = (domain, requesters);
    }

    /// <summary>The group's members reach nothing from now on, whatever was cached for them.</summary>
    public void Detach(int group)
    {
        if (!attached.Remove(group, out var present))
            return;
        foreach (var requester in present.Requesters)
            translator.ClearContext(requester);
        if (!attached.Values.Any(a => a.Domain == present.Domain))
        {
            // The id is given to another domain, whose devices must not find this one's translations.
            Queue.Submit(new InvalidationDescriptor(InvalidationKind.IotlbDomain, present.Domain.Id));
            freeIds.Push(present.Domain.Id);
            present.Domain.Id = 0;
        }
        Queue.Wait();
    }

    /// <summary>Takes pages away from a domain's devices: out of the tables, and out of every cache.</summary>
    public void Unmap(ProtectionDomain domain, long firstPage, long pages)
    {
        domain.Unmap(firstPage, pages);
        if (domain.Id != 0)
            translator.InvalidatePages(domain, firstPage, pages);
        Queue.Wait();
    }

    /// <summary>Power is lost: no table, no cache, no record.</summary>
    public void Reset()
    {
        foreach (var group in attached.Keys.ToArray())
            Detach(group);
        FaultLog.Clear();
    }

    /// <summary>A device writes. True when all of it reached memory; otherwise nothing did, and the fault is recorded.</summary>
    /// <param name="group">Null: the host has no IOMMU group for it, and so no way for it to memory that is a guest's.</param>
    public bool Write(PciAddress requester, int? group, long address, ReadOnlySpan<byte> data)
    {
        if (InterruptMessages.IsAddress(address))
            return SendMessage(requester, address, data);
        if (Resolve(requester, group, address, data.Length, write: true) is not { } domain)
            return false;
        WriteCount++;
        domain.WriteCount++;
        for (var i = 0; data.Length > 0; i++)
        {
            var offset = (int)(address % GuestMemory.PageBytes);
            var length = Math.Min(data.Length, GuestMemory.PageBytes - offset);
            if (memory.TryFind(frames[i], out var owner, out var guestPage))
                owner.Write((guestPage * GuestMemory.PageBytes) + offset, data[..length]);
            address += length;
            data = data[length..];
        }
        return true;
    }

    /// <summary>A device reads. True when all of it was read; otherwise nothing was, and the fault is recorded.</summary>
    public bool Read(PciAddress requester, int? group, long address, Span<byte> into)
    {
        if (Resolve(requester, group, address, into.Length, write: false) is not { } domain)
            return false;
        ReadCount++;
        domain.ReadCount++;
        for (var i = 0; into.Length > 0; i++)
        {
            var offset = (int)(address % GuestMemory.PageBytes);
            var length = Math.Min(into.Length, GuestMemory.PageBytes - offset);
            if (memory.TryFind(frames[i], out var owner, out var guestPage))
                owner.Read((guestPage * GuestMemory.PageBytes) + offset, into[..length]);
            else
                into[..length].Clear();
            address += length;
            into = into[length..];
        }
        return true;
    }

    /// <summary>
    /// A device writes to a host address that it says the IOMMU gave it. Believed where ATS is enabled for the device, without another look:
    /// a device that forgets to forget, or lies, writes to that frame whoever has it.
    /// </summary>
    public bool WriteTranslated(PciAddress requester, long hostAddress, ReadOnlySpan<byte> data)
    {
        if (!translator.AdmitsTranslated(requester, hostAddress))
            return false;
        WriteCount++;
        var offset = (int)(hostAddress % GuestMemory.PageBytes);
        var length = Math.Min(data.Length, GuestMemory.PageBytes - offset);
        if (memory.TryFind(hostAddress / GuestMemory.PageBytes, out var owner, out var guestPage))
            owner.Write((guestPage * GuestMemory.PageBytes) + offset, data[..length]);
        return true;
    }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("dma", "reads", ReadCount);
        sheet.Add("dma", "writes", WriteCount);
        sheet.Add("dma", "table-bytes", attached.Values.Select(a => a.Domain).Distinct().Sum(d => d.Tables.Bytes));
        translator.CountInto(sheet);
    }

    /// <summary>The kept records, as the host's statistics show them.</summary>
    public IReadOnlyList<Domain.Statistics.DmaFault> ReportFaults() => FaultLog.Report();

    /// <summary>All pages before the first byte moves: a transaction that crosses into an unmapped page leaves no half behind.</summary>
    private ProtectionDomain? Resolve(PciAddress requester, int? group, long address, int bytes, bool write)
    {
        var first = address / GuestMemory.PageBytes;
        var last = (address + Math.Max(1, bytes) - 1) / GuestMemory.PageBytes;
        if (group is null)
        {
            FaultLog.Record(translator.RequesterIdOf(requester), address, write, DmaFaultReason.NoDomain);
            return null;
        }
        if (last - first >= frames.Length)
            frames = new long[last - first + 1];
        ProtectionDomain? domain = null;
        for (var page = first; page <= last; page++)
        {
            domain = translator.Translate(requester, Math.Max(address, page * GuestMemory.PageBytes), write, out frames[page - first]);
            if (domain is null)
                return null;
        }
        return domain;
    }

    private bool SendMessage(PciAddress requester, long address, ReadOnlySpan<byte> data)
    {
        var value = 0u;
        for (var i = Math.Min(4, data.Length) - 1; i >= 0; i--)
            value = (value << 8) | data[i];
        return OnInterruptMessage?.Invoke(requester, address, value) ?? false;
    }
}

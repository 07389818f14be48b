using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Iommu;

/// <summary>
/// The hardware's way from a requester and an address to a host frame: context cache or root and context table, IOTLB or second-level tables,
/// and for devices with ATS their own cache before all that.
/// </summary>
internal sealed class RequestTranslator : ICounting
{
    private readonly ContextTables contexts = new();
    private readonly Dictionary<PciAddress, ContextEntry> contextCache = [];
    private readonly Dictionary<PciAddress, DeviceTlb> deviceTlbs = [];
    private readonly Func<PciAddress, PciAddress> requesterIdOf;

    public RequestTranslator(Func<PciAddress, PciAddress> requesterIdOf, FaultLog faults)
    {
        (this.requesterIdOf, Faults) = (requesterIdOf, faults);
        Queue = new InvalidationQueue(Execute);
    }

    public FaultLog Faults { get; }

    public Iotlb Iotlb { get; } = new("iotlb");

    public InvalidationQueue Queue { get; }

    /// <summary>Entries of root, context and second-level tables that were read.</summary>
    public long TableReferences { get; private set; }

    public long Walks { get; private set; }

    public long ContextHits { get; private set; }

    public long ContextMisses { get; private set; }

    /// <summary>What devices asked for their own caches.</summary>
    public long TranslationRequests { get; private set; }

    /// <summary>Requests that came translated and were let through.</summary>
    public long TranslatedRequests { get; private set; }

    /// <summary>Told an interrupt entry that software has changed.</summary>
    public Action<int>? OnInterruptEntry { get; set; }

    public PciAddress RequesterIdOf(PciAddress function) => requesterIdOf(function);

    public void SetContext(PciAddress requester, ContextEntry entry)
    {
        contexts[requester] = entry;
        Queue.Submit(new InvalidationDescriptor(InvalidationKind.ContextOfDevice, Requester: requester));
    }

    public void ClearContext(PciAddress requester)
    {
        if (contexts[requester] is not { } entry)
            return;
        contexts[requester] = null;
        Queue.Submit(new InvalidationDescriptor(InvalidationKind.ContextOfDevice, Requester: requester));
        if (entry.AllowsAts)
            Queue.Submit(new InvalidationDescriptor(InvalidationKind.DeviceTlb, entry.Domain.Id, requester, 0, SecondLevelTables.MaxPages));
    }

    /// <summary>Lets a device that has the capability cache translations itself. Only for one that is attached.</summary>
    public DeviceTlb EnableAts(PciAddress function)
    {
        var requester = requesterIdOf(function);
        var entry = contexts[requester] ?? throw new InvalidOperationException($"{function} is attached to no domain.");
        SetContext(requester, entry with { AllowsAts = true });
        Queue.Wait();
        if (!deviceTlbs.TryGetValue(function, out var cache))
            deviceTlbs[function] = cache = new DeviceTlb();
        return cache;
    }

    /// <summary>The device was reset, and with it what it had cached and whether it may.</summary>
    public void ForgetAts(PciAddress function) => deviceTlbs.Remove(function);

    /// <summary>A page less for the domain: for the IOTLB, and for every device of it that may have cached the page.</summary>
    public void InvalidatePages(ProtectionDomain domain, long firstPage, long pages)
    {
        Queue.Submit(new InvalidationDescriptor(InvalidationKind.IotlbPages, domain.Id, First: firstPage, Pages: pages));
        foreach (var function in deviceTlbs.Keys)
        {
            if (contexts[requesterIdOf(function)] is { AllowsAts: true } entry && entry.Domain == domain)
                Queue.Submit(new InvalidationDescriptor(InvalidationKind.DeviceTlb, domain.Id, function, firstPage, pages));
        }
    }

    /// <summary>The frame of an access to one page, and in whose name it is; null: blocked, and recorded.</summary>
    public ProtectionDomain? Translate(PciAddress function, long address, bool write, out long frame)
    {
        frame = 0;
        var page = address / GuestMemory.PageBytes;
        if (deviceTlbs.TryGetValue(function, out var own) && own.TryFind(page, out var held) && held.Allows(write))
        {
            // The device knows already; its request is translated, and only the context entry is looked at.
            frame = held.Frame;
            return Context(function, address, write) is { } admitted && Admit(function, admitted, address, write) ? admitted.Domain : null;
        }
        if (Context(function, address, write) is not { } context)
            return null;
        if (page >= SecondLevelTables.MaxPages || page < 0)
            return Block(function, address, write, DmaFaultReason.AddressTooWide);
        if (own is not null && context.AllowsAts)
            TranslationRequests++;
        var found = Find(context.Domain, page, write);
        if (found is not { } translation)
            return Block(function, address, write, DmaFaultReason.NotMapped);
        if (!translation.Allows(write))
            return Block(function, address, write, write ? DmaFaultReason.NotWritable : DmaFaultReason.NotReadable);
        if (own is not null && context.AllowsAts)
        {
            own.Keep(page, translation);
            TranslatedRequests++;
        }
        frame = translation.Frame;
        return context.Domain;
    }

    /// <summary>Whether a request with an address that is the host's already is let through.</summary>
    public bool AdmitsTranslated(PciAddress function, long hostAddress) =>
        Context(function, hostAddress, write: true) is { } context && Admit(function, context, hostAddress, write: true);

    public void CountInto(CounterSheet sheet)
    {
        Faults.CountInto(sheet);
        Iotlb.CountInto(sheet);
        sheet.Add("iotlb", "walks", Walks);
        sheet.Add("iotlb", "table-references", TableReferences);
        sheet.Add("context-cache", "hits", ContextHits);
        sheet.Add("context-cache", "misses", ContextMisses);
        Queue.CountInto(sheet);
        if (deviceTlbs.Count == 0)
            return;
        sheet.Add("device-tlb", "translation-requests", TranslationRequests);
        sheet.Add("device-tlb", "translated-requests", TranslatedRequests);
        foreach (var cache in deviceTlbs.Values)
            cache.CountInto(sheet);
    }

    private bool Admit(PciAddress function, ContextEntry context, long address, bool write)
    {
        if (context.AllowsAts)
        {
            TranslatedRequests++;
            return true;
        }
        Block(function, address, write, DmaFaultReason.TranslationBlocked);
        return false;
    }

    private ContextEntry? Context(PciAddress function, long address, bool write)
    {
        if (contextCache.TryGetValue(function, out var cached))
        {
            ContextHits++;
            return cached;
        }
        ContextMisses++;
        TableReferences += RootTable.References;
        if (contexts[requesterIdOf(function)] is not { } entry)
        {
            Block(function, address, write, DmaFaultReason.NoDomain);
            return null;
        }
        return contextCache[function] = entry;
    }

    private Translation? Find(ProtectionDomain domain, long page, bool write)
    {
        // An entry that does not allow the access may be older than the tables: the hardware looks again before it faults.
        if (Iotlb.TryFind(domain.Id, page, out var cached) && cached.Allows(write))
            return cached;
        Walks++;
        var found = domain.Tables.Walk(page, out var references);
        TableReferences += references;
        if (found is { } translation)
            Iotlb.Add(domain.Id, page, translation);
        return found;
    }

    private ProtectionDomain? Block(PciAddress function, long address, bool write, DmaFaultReason reason)
    {
        Faults.Record(requesterIdOf(function), address, write, reason);
        return null;
    }

    private void Execute(InvalidationDescriptor descriptor)
    {
        switch (descriptor.Kind)
        {
            case InvalidationKind.ContextOfDevice:
                // Functions behind one bridge are one requester: each that was looked up under its id is forgotten.
                foreach (var function in contextCache.Keys.ToArray())
                {
                    if (requesterIdOf(function) == descriptor.Requester)
                        contextCache.Remove(function);
                }
                break;
            case InvalidationKind.ContextGlobal:
                contextCache.Clear();
                break;
            case InvalidationKind.IotlbDomain:
                Iotlb.InvalidateDomain(descriptor.Domain);
                break;
            case InvalidationKind.IotlbPages:
                Iotlb.InvalidatePages(descriptor.Domain, descriptor.First, descriptor.Pages);
                break;
            case InvalidationKind.IotlbGlobal:
                Iotlb.InvalidateAll();
                break;
            case InvalidationKind.DeviceTlb:
                deviceTlbs.GetValueOrDefault(descriptor.Requester)?.Invalidate(descriptor.First, descriptor.Pages);
                break;
            default:
                OnInterruptEntry?.Invoke((int)descriptor.First);
                break;
        }
    }
}

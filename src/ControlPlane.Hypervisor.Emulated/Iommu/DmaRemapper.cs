using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Iommu;

/// <summary>
/// A host's IOMMU: which group is attached to which protection domain, and the way that every device write takes into memory.
/// </summary>
internal sealed class DmaRemapper(HostMemory memory, ModelClock clock) : ICounting
{
    /// <summary>As many fault records are kept; older ones are overwritten, as in hardware.</summary>
    public const int MaxFaults = 1024;

    private readonly Dictionary<int, ProtectionDomain> domainByGroup = [];
    private readonly Queue<DmaFault> faults = new();

    /// <summary>Blocked transactions, oldest first.</summary>
    public IReadOnlyCollection<DmaFault> Faults => faults;

    /// <summary>Blocked transactions since the host started, also those no longer kept.</summary>
    public long FaultCount { get; private set; }

    public long WriteCount { get; private set; }

    public long ReadCount { get; private set; }

    public ProtectionDomain? DomainOf(int group) => domainByGroup.GetValueOrDefault(group);

    /// <summary>A group is in one domain at a time, whole.</summary>
    public void Attach(int group, ProtectionDomain domain)
    {
        if (domainByGroup.TryGetValue(group, out var present) && present != domain)
            throw new InvalidOperationException($"IOMMU group {group} is attached to another domain.");
        domainByGroup[group] = domain;
    }

    public void Detach(int group) => domainByGroup.Remove(group);

    public void Reset()
    {
        domainByGroup.Clear();
        faults.Clear();
    }

    /// <summary>A device writes. True when all of it reached memory; otherwise nothing did, and the fault is recorded.</summary>
    public bool Write(PciAddress requester, int? group, long address, ReadOnlySpan<byte> data)
    {
        if (!Check(requester, group, address, data.Length, write: true))
            return false;
        WriteCount++;
        var domain = domainByGroup[group!.Value];
        while (data.Length > 0)
        {
            var length = Math.Min(data.Length, GuestMemory.PageBytes - (int)(address % GuestMemory.PageBytes));
            if (TryFind(domain, address, out var owner, out var place))
                owner.Write(place, data[..length]);
            address += length;
            data = data[length..];
        }
        return true;
    }

    /// <summary>A device reads. True when all of it was read; otherwise nothing was, and the fault is recorded.</summary>
    public bool Read(PciAddress requester, int? group, long address, Span<byte> into)
    {
        if (!Check(requester, group, address, into.Length, write: false))
            return false;
        ReadCount++;
        var domain = domainByGroup[group!.Value];
        while (into.Length > 0)
        {
            var length = Math.Min(into.Length, GuestMemory.PageBytes - (int)(address % GuestMemory.PageBytes));
            if (TryFind(domain, address, out var owner, out var place))
                owner.Read(place, into[..length]);
            else
                into[..length].Clear();
            address += length;
            into = into[length..];
        }
        return true;
    }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("dma", "reads", ReadCount);
        sheet.Add("dma", "writes", WriteCount);
        sheet.Add("dma", "faults", FaultCount);
    }

    /// <summary>The kept records, as the host's statistics show them.</summary>
    public IReadOnlyList<Domain.Statistics.DmaFault> ReportFaults() =>
        [.. faults.Select(f => new Domain.Statistics.DmaFault(f.At, f.Requester, f.Address, f.IsWrite, JsonNamingPolicy.KebabCaseLower.ConvertName(f.Reason.ToString())))];

    /// <summary>Translated first and carried out afterwards: a transaction that crosses into an unmapped page leaves no half behind.</summary>
    private bool Check(PciAddress requester, int? group, long address, int bytes, bool write)
    {
        var last = (address + Math.Max(1, bytes) - 1) / GuestMemory.PageBytes;
        for (var page = address / GuestMemory.PageBytes; page <= last; page++)
        {
            if (Refuse(group, page, write) is { } reason)
                return Record(requester, Math.Max(address, page * GuestMemory.PageBytes), write, reason);
        }
        return true;
    }

    private bool TryFind(ProtectionDomain domain, long address, [MaybeNullWhen(false)] out GuestMemory owner, out long place)
    {
        var frame = domain.Translate(address / GuestMemory.PageBytes)!.Value.Frame;
        var found = memory.TryFind(frame, out owner, out var guestPage);
        place = (guestPage * GuestMemory.PageBytes) + (address % GuestMemory.PageBytes);
        return found;
    }

    private DmaFaultReason? Refuse(int? group, long page, bool write)
    {
        if (group is not { } number || !domainByGroup.TryGetValue(number, out var domain))
            return DmaFaultReason.NoDomain;
        if (domain.Translate(page) is not { } translation)
            return DmaFaultReason.NotMapped;
        return write && !translation.Writable ? DmaFaultReason.NotWritable : null;
    }

    private bool Record(PciAddress requester, long address, bool write, DmaFaultReason reason)
    {
        FaultCount++;
        if (faults.Count == MaxFaults)
            faults.Dequeue();
        faults.Enqueue(new DmaFault(clock.Now, requester, address, write, reason));
        return false;
    }
}

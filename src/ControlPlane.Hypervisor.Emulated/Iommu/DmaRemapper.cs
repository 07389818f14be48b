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
        // Translated first and written afterwards: a transaction that crosses into an unmapped page leaves no half behind.
        var last = (address + Math.Max(1, data.Length) - 1) / GuestMemory.PageBytes;
        for (var page = address / GuestMemory.PageBytes; page <= last; page++)
        {
            if (Refuse(group, page, write: true) is { } reason)
                return Record(requester, Math.Max(address, page * GuestMemory.PageBytes), reason);
        }
        WriteCount++;
        var domain = domainByGroup[group!.Value];
        while (data.Length > 0)
        {
            var offset = (int)(address % GuestMemory.PageBytes);
            var length = Math.Min(data.Length, GuestMemory.PageBytes - offset);
            var frame = domain.Translate(address / GuestMemory.PageBytes)!.Value.Frame;
            if (memory.TryFind(frame, out var owner, out var guestPage))
                owner.Write((guestPage * GuestMemory.PageBytes) + offset, data[..length]);
            address += length;
            data = data[length..];
        }
        return true;
    }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("dma", "writes", WriteCount);
        sheet.Add("dma", "faults", FaultCount);
    }

    /// <summary>The kept records, as the host's statistics show them.</summary>
    public IReadOnlyList<Domain.Statistics.DmaFault> ReportFaults() =>
        [.. faults.Select(f => new Domain.Statistics.DmaFault(f.At, f.Requester, f.Address, IsWrite: true, JsonNamingPolicy.KebabCaseLower.ConvertName(f.Reason.ToString())))];

    private DmaFaultReason? Refuse(int? group, long page, bool write)
    {
        if (group is not { } number || !domainByGroup.TryGetValue(number, out var domain))
            return DmaFaultReason.NoDomain;
        if (domain.Translate(page) is not { } translation)
            return DmaFaultReason.NotMapped;
        return write && !translation.Writable ? DmaFaultReason.NotWritable : null;
    }

    private bool Record(PciAddress requester, long address, DmaFaultReason reason)
    {
        FaultCount++;
        if (faults.Count == MaxFaults)
            faults.Dequeue();
        faults.Enqueue(new DmaFault(clock.Now, requester, address, reason));
        return false;
    }
}

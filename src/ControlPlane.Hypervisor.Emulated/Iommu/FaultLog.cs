using System.Text.Json;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Iommu;

/// <summary>The fault records of an IOMMU: of DMA and of interrupt messages (VT-d 7.2.1, primary fault logging).</summary>
internal sealed class FaultLog(ModelClock clock) : ICounting
{
    /// <summary>As many records are kept; older ones are overwritten.</summary>
    public const int MaxRecords = 1024;

    private static readonly string[] Names =
        [.. Enum.GetNames<DmaFaultReason>().Select(JsonNamingPolicy.KebabCaseLower.ConvertName)];

    private readonly long[] byReason = new long[Names.Length];
    private readonly Queue<DmaFault> records = new();

    /// <summary>Oldest first.</summary>
    public IReadOnlyCollection<DmaFault> Records => records;

    /// <summary>Also those no longer kept.</summary>
    public long Total { get; private set; }

    public long this[DmaFaultReason reason] => byReason[(int)reason];

    public void Record(PciAddress requester, long address, bool isWrite, DmaFaultReason reason)
    {
        Total++;
        byReason[(int)reason]++;
        if (records.Count == MaxRecords)
            records.Dequeue();
        records.Enqueue(new DmaFault(clock.Now, requester, address, isWrite, reason));
    }

    public void Clear() => records.Clear();

    public IReadOnlyList<Domain.Statistics.DmaFault> Report() =>
        [.. records.Select(f => new Domain.Statistics.DmaFault(f.At, f.Requester, f.Address, f.IsWrite, Names[(int)f.Reason]))];

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("dma", "faults", Total);
        for (var reason = 0; reason < byReason.Length; reason++)
        {
            if (byReason[reason] > 0)
                sheet.Add("dma", $"faults-{Names[reason]}", byReason[reason]);
        }
    }
}

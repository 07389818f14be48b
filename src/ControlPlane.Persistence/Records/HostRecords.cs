using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;

namespace ControlPlane.Persistence.Records;

/// <summary>What a host has sold and may sell.</summary>
/// <param name="Sellable">Capacity times ratio. Less than <paramref name="Sold"/> after a host has shrunk: then it sells nothing until enough is given back.</param>
public sealed record HostUsage(HostId Host, HostShare Sold, HostShare Sellable);

/// <summary>Which server looks after a host, and until when if it does not renew.</summary>
/// <param name="Owner">Names one start of one server.</param>
/// <param name="Generation">One more with each change of owner: what an earlier owner still writes is refused by it.</param>
public sealed record HostLease(HostId HostId, string Owner, DateTimeOffset LeaseUntil, Generation Generation);

/// <summary>The part of an allocation that one NUMA cell carries.</summary>
public sealed record CellAllocation(int Node, HostShare Share);

/// <summary>What one VM holds of one host; while it migrates it holds a part of two.</summary>
/// <param name="Group">The placement group of the VM, in its project; null: none.</param>
/// <param name="HardSpread">No other hard-spread member of the group may be on the host.</param>
/// <param name="Cells">By NUMA node; null: not said.</param>
public sealed record HostAllocation(
    VmId Vm, HostId Host, ProjectId Project, HostShare Share, string? Group = null, bool HardSpread = false,
    IReadOnlyList<CellAllocation>? Cells = null);

internal sealed record HostUsageRow(
    HostId HostId, int VcpusSold, int VcpusSellable, int VcpusLimit, long MemoryMiBSold, long MemoryMiBSellable, long MemoryMiBLimit,
    int Hugepages2MiBSold, int Hugepages2MiBSellable, int Hugepages2MiBLimit, int Hugepages1GiBSold, int Hugepages1GiBSellable,
    int Hugepages1GiBLimit)
{
    public HostUsage ToRecord() => new(
        HostId, new HostShare(VcpusSold, MemoryMiBSold, Hugepages2MiBSold, Hugepages1GiBSold),
        new HostShare(VcpusSellable, MemoryMiBSellable, Hugepages2MiBSellable, Hugepages1GiBSellable));
}

internal sealed record HostAllocationRow(
    VmId VmId, HostId HostId, ProjectId ProjectId, int Vcpus, long MemoryMiB, int Hugepages2MiB, int Hugepages1GiB, string? GroupName,
    bool HardSpread, IReadOnlyList<CellAllocation>? Cells)
{
    public HostAllocation ToRecord() => new(
        VmId, HostId, ProjectId, new HostShare(Vcpus, MemoryMiB, Hugepages2MiB, Hugepages1GiB), GroupName, HardSpread, Cells);

    public static HostAllocationRow From(HostAllocation allocation) => new(
        allocation.Vm, allocation.Host, allocation.Project, allocation.Share.Vcpus, allocation.Share.MemoryMiB, allocation.Share.Hugepages2MiB,
        allocation.Share.Hugepages1GiB, allocation.Group, allocation.HardSpread, allocation.Cells);
}

using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Networks;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Hosts;

/// <summary>What is limited and shared: a host's CPUs and memory, placement groups, MAC addresses, quotas.</summary>
public sealed class UsageStore(IDbContextFactory<ControlPlaneDbContext> contexts)
{
    public Task<HostUsage?> FindAsync(HostId host, CancellationToken ct) =>
        contexts.ReadAsync(async db => (await db.Set<HostUsageRow>().FirstOrDefaultAsync(u => u.HostId == host, ct))?.ToRecord(), ct);

    public Task<IReadOnlyList<HostUsage>> AllAsync(CancellationToken ct) =>
        contexts.ReadAsync<IReadOnlyList<HostUsage>>(async db => [.. (await db.Set<HostUsageRow>().ToListAsync(ct)).Select(r => r.ToRecord())], ct);

    /// <summary>What the VM holds, by host; during a migration of two.</summary>
    public Task<IReadOnlyList<HostAllocation>> AllocationsAsync(VmId vm, CancellationToken ct) =>
        contexts.ReadAsync<IReadOnlyList<HostAllocation>>(
            async db => [.. (await db.Set<HostAllocationRow>().Where(a => a.VmId == vm).ToListAsync(ct)).Select(r => r.ToRecord())], ct);

    /// <summary>What VMs hold of the host.</summary>
    public Task<IReadOnlyList<HostAllocation>> OfHostAsync(HostId host, CancellationToken ct) =>
        contexts.ReadAsync<IReadOnlyList<HostAllocation>>(
            async db => [.. (await db.Set<HostAllocationRow>().Where(a => a.HostId == host).ToListAsync(ct)).Select(r => r.ToRecord())], ct);

    public Task<IReadOnlyList<MacUse>> MacsAsync(VmId vm, CancellationToken ct) =>
        contexts.ReadAsync<IReadOnlyList<MacUse>>(async db => await db.Set<MacUse>().Where(m => m.Vm == vm).ToListAsync(ct), ct);

    /// <summary>What the project's VMs hold together.</summary>
    public Task<QuotaAmount> ProjectAsync(ProjectId project, CancellationToken ct) => contexts.ReadAsync(
        async db =>
        {
            var usage = await db.Set<ProjectUsageRow>().FirstOrDefaultAsync(u => u.ProjectId == project, ct);
            var devices = await db.Set<ProjectDeviceUsageRow>().Where(u => u.ProjectId == project && u.Devices > 0).ToListAsync(ct);
            return new QuotaAmount(usage?.Vms ?? 0, usage?.Vcpus ?? 0, usage?.MemoryMiB ?? 0, devices.ToDictionary(d => d.PoolId, d => d.Devices));
        },
        ct);

    /// <summary>What the host may sell from now on. Less than it has sold is recorded as such: it then sells nothing until enough came back.</summary>
    public void SetSellable(WriteUnit unit, HostId host, HostShare sellable) => unit.Touch(host).Add(
        UsageShapes.SetSellable, host.Value, sellable.Vcpus, sellable.MemoryMiB, sellable.Hugepages2MiB, sellable.Hugepages1GiB);

    /// <summary>
    /// Sells a part of the host to a VM and makes it a member of its group there. Refused with <c>placement-conflict</c> when the host has
    /// not that much left, or when a hard-spread group has a member there.
    /// </summary>
    public void Allocate(WriteUnit unit, HostAllocation allocation)
    {
        var (host, share) = (allocation.Host.Value, allocation.Share);
        TableShapes<HostAllocationRow>.Insert(unit.Touch(allocation.Host), HostAllocationRow.From(allocation));
        unit.Add(UsageShapes.Sell, host, share.Vcpus, share.MemoryMiB, share.Hugepages2MiB, share.Hugepages1GiB);
    }

    /// <summary>Gives back what the VM holds of the host; safe to repeat.</summary>
    public void Release(WriteUnit unit, VmId vm, HostId host) => unit.Touch(host).Add(UsageShapes.GiveBack, vm.Value, host.Value);

    /// <summary>Goes with the deletion of a host; while it has sold anything the row stays, and the deletion is refused with <c>in-use</c>.</summary>
    public void ForgetHost(WriteUnit unit, HostId host) => unit.Touch(host).Add(UsageShapes.ForgetHost, host.Value);

    /// <summary>Refused with <c>mac-in-use</c> when any interface of any VM has it.</summary>
    public void AddMac(WriteUnit unit, MacAddress mac, VmId vm, string interfaceName, NetworkId network) =>
        TableShapes<MacUse>.Insert(unit, new MacUse(mac, vm, interfaceName, network));

    public void RemoveMac(WriteUnit unit, VmId vm, string interfaceName) => unit.Add(UsageShapes.RemoveMac, vm.Value, interfaceName);

    public void RemoveMacs(WriteUnit unit, VmId vm) => unit.Add(UsageShapes.RemoveMacs, vm.Value);

    /// <summary>Refused with <c>quota-exceeded</c> (429) when the project's quota does not allow for it.</summary>
    public void TakeQuota(WriteUnit unit, ProjectId project, QuotaAmount amount)
    {
        unit.Add(UsageShapes.TakeQuota, project.Value, amount.Vms, amount.Vcpus, amount.MemoryMiB);
        foreach (var (pool, devices) in amount.DevicesByPool)
            unit.Add(UsageShapes.TakeDeviceQuota, project.Value, pool.Value, devices);
    }

    /// <summary>Exactly once for each taking: a unit that is committed with its saga's log entry is.</summary>
    public void GiveQuotaBack(WriteUnit unit, ProjectId project, QuotaAmount amount)
    {
        unit.Add(UsageShapes.TakeQuota, project.Value, -amount.Vms, -amount.Vcpus, -amount.MemoryMiB);
        foreach (var (pool, devices) in amount.DevicesByPool)
            unit.Add(UsageShapes.GiveDeviceQuotaBack, project.Value, pool.Value, devices);
    }
}

using System.Data;
using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Schema;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Hosts;

/// <summary>All that placement decides on, as it was at one moment.</summary>
/// <param name="Devices">Present or not: one that is away still has its owner, and still says what its host is plugged into.</param>
public sealed record FleetRows(
    IReadOnlyList<Host> Hosts, IReadOnlyList<HostUsage> Usage, IReadOnlyList<PciDevice> Devices, IReadOnlyList<DevicePool> Pools,
    IReadOnlyList<HostAllocation> Allocations);

/// <summary>Reads the fleet for the placement snapshot: at the start of a server, and whenever it may have missed changes.</summary>
public sealed class FleetReader(IDbContextFactory<ControlPlaneDbContext> contexts)
{
    public async Task<FleetRows> ReadAsync(CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var moment = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        var hosts = await db.Set<Host>().ToListAsync(ct);
        var usage = await db.Set<HostUsageRow>().ToListAsync(ct);
        var devices = await db.Set<PciDeviceRow>().ToListAsync(ct);
        var pools = await db.Set<DevicePool>().ToListAsync(ct);
        var allocations = await db.Set<HostAllocationRow>().ToListAsync(ct);
        await moment.CommitAsync(ct);
        return new FleetRows(
            hosts, [.. usage.Select(u => u.ToRecord())], [.. devices.Select(d => d.ToDevice())], pools, [.. allocations.Select(a => a.ToRecord())]);
    }

    /// <summary>The same of one host; without any host when there is none of this id. Pools are not read.</summary>
    public async Task<FleetRows> ReadHostStatisticsAsync(HostId id, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var moment = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        var hosts = await db.Set<Host>().Where(h => h.Id == id).ToListAsync(ct);
        var usage = await db.Set<HostUsageRow>().Where(u => u.HostId == id).ToListAsync(ct);
        var devices = await db.Set<PciDeviceRow>().Where(d => d.HostId == id).ToListAsync(ct);
        var allocations = await db.Set<HostAllocationRow>().Where(a => a.HostId == id).ToListAsync(ct);
        await moment.CommitAsync(ct);
        return new FleetRows(
            hosts, [.. usage.Select(u => u.ToRecord())], [.. devices.Select(d => d.ToDevice())], [], [.. allocations.Select(a => a.ToRecord())]);
    }
}

using System.Collections.Concurrent;
using ControlPlane.Domain;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Networks;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.Projects;
using ControlPlane.Scheduling;
using ControlPlane.Scheduling.Placements;

namespace ControlPlane.Orchestration;

/// <summary>
/// Makes the fleet in memory equal to the database: whole at the start and after news was lost, else what is known to lag. What is not
/// in the database is gone from memory too, but for reservations whose commit is under way.
/// </summary>
public sealed class FleetLoader(
    FleetReader reader, DevicePoolStore pools, NetworkStore networks, ProjectStore projects,
    FleetDirectory directory, FleetSnapshot fleet)
{
    /// <summary>Hosts to be read again.</summary>
    private readonly ConcurrentDictionary<HostId, bool> stale = new();
    private int isDirectoryStale;

    public void MarkStale(HostId host) => stale[host] = true;

    public void MarkDirectoryStale() => Interlocked.Exchange(ref isDirectoryStale, 1);

    public async Task LoadAsync(CancellationToken ct)
    {
        var known = directory.BeginReading();
        using var reading = fleet.BeginReading();
        known.Projects(await projects.AllAsync(ct));
        known.Networks(await networks.AllAsync(ct));
        var rows = await reader.ReadAsync(ct);
        known.Pools(rows.Pools);
        known.Hosts(rows.Hosts);
        fleet.SetPools(() => [.. directory.Pools]);
        var devicesOf = rows.Devices.ToLookup(d => d.Host);
        var held = rows.Allocations.ToLookup(a => a.Host, a => a.ToAllocation());
        foreach (var host in rows.Hosts)
        {
            if (reading.Replace(host, [.. devicesOf[host.Id]], held[host.Id]))
                MarkStale(host.Id);
        }
        reading.Retain(rows.Hosts.Select(h => h.Id).ToHashSet());
    }

    /// <summary>Reads again what was marked; what fails stays marked.</summary>
    /// <returns>How many hosts were read.</returns>
    public async Task<int> RefreshStaleAsync(CancellationToken ct)
    {
        if (Interlocked.Exchange(ref isDirectoryStale, 0) == 1)
            await RefreshDirectoryAsync(ct);
        var marked = stale.Keys.ToList();
        foreach (var host in marked)
            await RefreshHostAsync(host, ct);
        return marked.Count;
    }

    /// <summary>Reads one host again: after a claim that the database refused, or when another server has changed it.</summary>
    public async Task RefreshHostAsync(HostId id, CancellationToken ct)
    {
        stale.TryRemove(id, out _);
        try
        {
            using var reading = fleet.BeginReading();
            var rows = await reader.ReadHostStatisticsAsync(id, ct);
            if (rows.Hosts is not [var host])
            {
                directory.Remove(id);
                fleet.RemoveHost(id);
                return;
            }
            directory.Set(host);
            if (reading.Replace(host, rows.Devices, rows.Allocations.Select(a => a.ToAllocation())))
                MarkStale(id);
        }
        catch
        {
            MarkStale(id);
            throw;
        }
    }

    private async Task RefreshDirectoryAsync(CancellationToken ct)
    {
        try
        {
            var known = directory.BeginReading();
            known.Projects(await projects.AllAsync(ct));
            known.Networks(await networks.AllAsync(ct));
            known.Pools(await pools.AllAsync(ct));
            fleet.SetPools(() => [.. directory.Pools]);
        }
        catch
        {
            MarkDirectoryStale();
            throw;
        }
    }
}

internal static class Allocations
{
    public static VmAllocation ToAllocation(this Persistence.Records.HostAllocation a) =>
        new(a.Vm, a.Project, a.Host, a.Share, a.Cells is null ? null : [.. a.Cells.Select(c => new CellShare(c.Node, c.Share))], a.Group);
}

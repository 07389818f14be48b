using ControlPlane.Domain;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Networks;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.Projects;
using ControlPlane.Scheduling;
using ControlPlane.Scheduling.Placements;

namespace ControlPlane.Orchestration;

/// <summary>Brings the in-memory fleet up to date with the database: whole at the start, a host at a time when it is known to lag.</summary>
public sealed class FleetLoader(
    FleetReader reader, HostStore hosts, DeviceStore devices, UsageStore usage, NetworkStore networks, ProjectStore projects,
    FleetDirectory directory, FleetSnapshot fleet)
{
    public async Task LoadAsync(CancellationToken ct)
    {
        foreach (var project in await projects.AllAsync(ct))
            directory.Set(project);
        foreach (var network in await networks.AllAsync(ct))
            directory.Set(network);
        var rows = await reader.ReadAsync(ct);
        foreach (var pool in rows.Pools)
            directory.Set(pool);
        foreach (var host in rows.Hosts)
        {
            directory.Set(host);
            fleet.UpsertHost(host);
        }
        foreach (var ofHost in rows.Devices.GroupBy(d => d.Host))
            fleet.UpsertDevices(ofHost.Key, [.. ofHost]);
        foreach (var allocation in rows.Allocations)
            fleet.UpsertAllocation(allocation.ToAllocation());
        fleet.SetPools([.. directory.Pools]);
    }

    /// <summary>Reads one host again: after a claim that the database refused, or when another server has changed it.</summary>
    public async Task RefreshHostAsync(HostId id, CancellationToken ct)
    {
        var host = await hosts.FindAsync(id, ct);
        if (host is null)
        {
            directory.Remove(id);
            fleet.RemoveHost(id);
            return;
        }
        directory.Set(host);
        fleet.UpsertHost(host);
        fleet.UpsertDevices(id, await devices.ByHostAsync(id, ct));
        foreach (var allocation in await usage.OfHostAsync(id, ct))
            fleet.UpsertAllocation(allocation.ToAllocation());
    }
}

internal static class Allocations
{
    public static VmAllocation ToAllocation(this Persistence.Records.HostAllocation a) =>
        new(a.Vm, a.Project, a.Host, a.Share, a.Cells is null ? null : [.. a.Cells.Select(c => new CellShare(c.Node, c.Share))], a.Group);
}

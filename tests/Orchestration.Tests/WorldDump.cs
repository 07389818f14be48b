using System.Text;
using ControlPlane.Domain;
using Npgsql;

namespace ControlPlane.Orchestration.Tests;

/// <summary>All that could leak, as text that can be compared: ownership, claims, usage, addresses, and what the hosts themselves show.</summary>
public static class WorldDump
{
    // A VM that failed holds nothing but its name, which is the answer its caller gets: it is history, not a leak.
    private static readonly string[] Queries =
    [
        "SELECT h.name, d.address, d.state, d.owner_vm_id, d.owner_name, d.owner_companion, d.assignable FROM pci_devices d JOIN hosts h ON h.id = d.host_id WHERE d.present ORDER BY 1, 2",
        "SELECT h.name, u.vcpus_sold, u.memory_mib_sold, u.hugepages_2mib_sold FROM host_usage u JOIN hosts h ON h.id = u.host_id WHERE h.last_seen_at IS NOT NULL ORDER BY 1",
        "SELECT a.vm_id, a.host_id, a.vcpus, a.memory_mib, a.group_name FROM host_allocations a ORDER BY 1, 2",
        "SELECT mac, vm_id, interface FROM mac_addresses ORDER BY 1",
        "SELECT project_id, vms, vcpus, memory_mib FROM project_usage ORDER BY 1",
        "SELECT project_id, pool_id, devices FROM project_device_usage WHERE devices <> 0 ORDER BY 1, 2",
        "SELECT id, name, state, host_id, operation_id, interfaces::text, attachments::text FROM virtual_machines WHERE state <> 'failed' ORDER BY 1",
        // A host that never answered is a name in a list, and says why.
        "SELECT name, state, cordoned, operation_id FROM hosts WHERE last_seen_at IS NOT NULL ORDER BY 1",
        "SELECT vm_id FROM vm_migrations WHERE ended_at IS NULL ORDER BY 1",
    ];

    public static async Task<string> OfAsync(ControlPlaneWorld world, ServerProcess process)
    {
        var dump = new StringBuilder();
        foreach (var query in Queries)
            await AppendAsync(dump, world.Database.DataSource, query);
        foreach (var host in process.Get<FleetDirectory>().Hosts.OrderBy(h => h.Name, StringComparer.Ordinal))
            await AppendHostAsync(dump, world, host);
        return dump.ToString();
    }

    private static async Task AppendAsync(StringBuilder dump, NpgsqlDataSource source, string query)
    {
        await using var command = source.CreateCommand(query);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new object[reader.FieldCount];
        while (await reader.ReadAsync())
        {
            reader.GetValues(values);
            dump.AppendJoin(' ', values).Append('\n');
        }
    }

    private static async Task AppendHostAsync(StringBuilder dump, ControlPlaneWorld world, Domain.Hosts.Host host)
    {
        var opened = await world.Hypervisors.OpenAsync(host, CancellationToken.None);
        if (!opened.TryGet(out var hypervisor, out var fault))
        {
            dump.Append(host.Name).Append(' ').Append(fault.Code).Append('\n');
            return;
        }
        var inventory = await hypervisor.ReadInventoryAsync(CancellationToken.None);
        foreach (var function in inventory.Match(i => i.Functions, _ => []).OrderBy(f => f.Address))
            dump.Append(host.Name).Append(' ').Append(function.Address).Append(' ').Append(function.Driver).Append('\n');
        foreach (var domain in (await hypervisor.ListDomainsAsync(CancellationToken.None)).Match(d => d, _ => []).OrderBy(d => d.Ref.Vm.Value))
        {
            dump.Append(host.Name).Append(" domain ").Append(domain.Name).Append(' ').Append(domain.State);
            foreach (var device in domain.Devices.OrderBy(d => d.Name, StringComparer.Ordinal))
                dump.Append(' ').Append(device.Name).Append('=').Append(device.Claim.Address).Append('@').Append(device.GuestAddress);
            foreach (var nic in domain.Interfaces.OrderBy(d => d.Name, StringComparer.Ordinal))
                dump.Append(' ').Append(nic.Name).Append('=').Append(nic.Mac).Append(nic.LinkUp ? " up" : " down");
            dump.Append('\n');
        }
        foreach (var device in (await hypervisor.ListDevicesAsync(CancellationToken.None)).Match(d => d, _ => []).OrderBy(d => d.Claim.Address))
            dump.Append(host.Name).Append(" device ").Append(device.Claim.Address).Append(' ').Append(device.Owner).Append(' ').Append(device.Driver)
                .Append(' ').Append(device.Settings.Mac).Append(' ').Append(device.HeldOpen).Append('\n');
    }
}

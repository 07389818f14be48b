using ControlPlane.Domain;
using ControlPlane.Persistence.Writing;
using static ControlPlane.Persistence.Writing.ColumnType;

namespace ControlPlane.Persistence.Hosts;

/// <summary>
/// The statements that sell and give back what is limited: each is one update that holds only while the limit does, so racing requests
/// cannot exceed it. Amounts of one batch for one host or project are added up first.
/// </summary>
internal static class UsageShapes
{
    // A host that shrank below what it has sold keeps limit = sold, sells nothing, and comes down as VMs leave.
    public static readonly RowShape SetSellable = new(
        "host_usage",
        """
        INSERT INTO host_usage AS t (
          host_id, vcpus_sold, vcpus_sellable, vcpus_limit, memory_mib_sold, memory_mib_sellable, memory_mib_limit,
          hugepages_2mib_sold, hugepages_2mib_sellable, hugepages_2mib_limit, hugepages_1gib_sold, hugepages_1gib_sellable, hugepages_1gib_limit)
        SELECT u.host, 0, u.vcpus, u.vcpus, 0, u.memory, u.memory, 0, u.huge2, u.huge2, 0, u.huge1, u.huge1
        FROM unnest($1, $2, $3, $4, $5) AS u(host, vcpus, memory, huge2, huge1)
        ON CONFLICT (host_id) DO UPDATE SET
          vcpus_sellable = excluded.vcpus_sellable, vcpus_limit = greatest(excluded.vcpus_sellable, t.vcpus_sold),
          memory_mib_sellable = excluded.memory_mib_sellable, memory_mib_limit = greatest(excluded.memory_mib_sellable, t.memory_mib_sold),
          hugepages_2mib_sellable = excluded.hugepages_2mib_sellable,
          hugepages_2mib_limit = greatest(excluded.hugepages_2mib_sellable, t.hugepages_2mib_sold),
          hugepages_1gib_sellable = excluded.hugepages_1gib_sellable,
          hugepages_1gib_limit = greatest(excluded.hugepages_1gib_sellable, t.hugepages_1gib_sold)
        """,
        [Uuid, Integer, Bigint, Integer, Integer], RowsWanted.One, WriteFaults.ChangedMeanwhile);

    public static readonly RowShape Sell = new(
        "host_usage",
        """
        UPDATE host_usage t SET
          vcpus_sold = t.vcpus_sold + u.vcpus, memory_mib_sold = t.memory_mib_sold + u.memory,
          hugepages_2mib_sold = t.hugepages_2mib_sold + u.huge2, hugepages_1gib_sold = t.hugepages_1gib_sold + u.huge1
        FROM unnest($1, $2, $3, $4, $5) AS u(host, vcpus, memory, huge2, huge1)
        WHERE t.host_id = u.host
        """,
        [Uuid, Integer, Bigint, Integer, Integer], RowsWanted.One, static _ => WriteFaults.PlacementConflict)
    {
        IsSummed = true,
    };

    /// <summary>Gives back what the allocation says; where there is none, nothing.</summary>
    public static readonly RowShape GiveBack = new(
        "host_allocations",
        """
        WITH gone AS (
          DELETE FROM host_allocations a USING unnest($1, $2) AS u(vm, host) WHERE a.vm_id = u.vm AND a.host_id = u.host
          RETURNING a.host_id, a.vcpus, a.memory_mib, a.hugepages_2mib, a.hugepages_1gib),
        amount AS (
          SELECT host_id, sum(vcpus)::int AS vcpus, sum(memory_mib)::bigint AS memory, sum(hugepages_2mib)::int AS huge2,
                 sum(hugepages_1gib)::int AS huge1
          FROM gone GROUP BY host_id)
        UPDATE host_usage t SET
          vcpus_sold = t.vcpus_sold - g.vcpus, vcpus_limit = greatest(t.vcpus_sellable, t.vcpus_sold - g.vcpus),
          memory_mib_sold = t.memory_mib_sold - g.memory, memory_mib_limit = greatest(t.memory_mib_sellable, t.memory_mib_sold - g.memory),
          hugepages_2mib_sold = t.hugepages_2mib_sold - g.huge2,
          hugepages_2mib_limit = greatest(t.hugepages_2mib_sellable, t.hugepages_2mib_sold - g.huge2),
          hugepages_1gib_sold = t.hugepages_1gib_sold - g.huge1,
          hugepages_1gib_limit = greatest(t.hugepages_1gib_sellable, t.hugepages_1gib_sold - g.huge1)
        FROM amount g WHERE t.host_id = g.host_id
        """,
        [Uuid, Uuid], RowsWanted.Any, WriteFaults.ChangedMeanwhile)
    {
        KeyColumns = 2,
    };

    public static readonly RowShape ForgetHost = new(
        "host_usage",
        "DELETE FROM host_usage t USING unnest($1) AS u(host) WHERE t.host_id = u.host AND NOT EXISTS (SELECT 1 FROM host_allocations a WHERE a.host_id = u.host)",
        [Uuid], RowsWanted.Any, WriteFaults.ChangedMeanwhile);

    public static readonly RowShape TakeQuota = new(
        "project_usage",
        """
        UPDATE project_usage t SET vms = t.vms + u.vms, vcpus = t.vcpus + u.vcpus, memory_mib = t.memory_mib + u.memory
        FROM unnest($1, $2, $3, $4) AS u(project, vms, vcpus, memory) JOIN projects p ON p.id = u.project
        WHERE t.project_id = u.project
          AND (u.vms <= 0 OR t.vms + u.vms <= coalesce((p.quota->>'vms')::int, t.vms + u.vms))
          AND (u.vcpus <= 0 OR t.vcpus + u.vcpus <= coalesce((p.quota->>'vcpus')::int, t.vcpus + u.vcpus))
          AND (u.memory <= 0 OR t.memory_mib + u.memory <= coalesce((p.quota->>'memoryMiB')::bigint, t.memory_mib + u.memory))
        """,
        [Uuid, Integer, Integer, Bigint], RowsWanted.One, static _ => WriteFaults.QuotaExceeded)
    {
        IsSummed = true,
    };

    public static readonly RowShape TakeDeviceQuota = new(
        "project_device_usage",
        """
        INSERT INTO project_device_usage AS t (project_id, pool_id, devices)
        SELECT u.project, u.pool, u.devices
        FROM unnest($1, $2, $3) AS u(project, pool, devices) JOIN projects p ON p.id = u.project
        WHERE u.devices <= coalesce((p.quota->'devicesByPool'->>u.pool::text)::int, u.devices)
        ON CONFLICT (project_id, pool_id) DO UPDATE SET devices = t.devices + excluded.devices
        WHERE t.devices + excluded.devices <= coalesce(
          (SELECT (q.quota->'devicesByPool'->>excluded.pool_id::text)::int FROM projects q WHERE q.id = excluded.project_id),
          t.devices + excluded.devices)
        """,
        [Uuid, Uuid, Integer], RowsWanted.One, static _ => WriteFaults.QuotaExceeded)
    {
        KeyColumns = 2,
        IsSummed = true,
    };

    public static readonly RowShape GiveDeviceQuotaBack = new(
        "project_device_usage",
        """
        UPDATE project_device_usage t SET devices = t.devices - u.devices
        FROM unnest($1, $2, $3) AS u(project, pool, devices) WHERE t.project_id = u.project AND t.pool_id = u.pool
        """,
        [Uuid, Uuid, Integer], RowsWanted.One, WriteFaults.ChangedMeanwhile)
    {
        KeyColumns = 2,
        IsSummed = true,
    };

    public static readonly RowShape RemoveMac = new(
        "mac_addresses", "DELETE FROM mac_addresses t USING unnest($1, $2) AS u(vm, interface) WHERE t.vm_id = u.vm AND t.interface = u.interface",
        [Uuid, Text], RowsWanted.Any, WriteFaults.ChangedMeanwhile)
    {
        KeyColumns = 2,
    };

    public static readonly RowShape RemoveMacs = new(
        "mac_addresses", "DELETE FROM mac_addresses t USING unnest($1) AS u(vm) WHERE t.vm_id = u.vm",
        [Uuid], RowsWanted.Any, WriteFaults.ChangedMeanwhile);
}

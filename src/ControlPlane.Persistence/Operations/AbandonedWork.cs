using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Schema;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Operations;

/// <summary>
/// Finds work that nothing carries on: its saga has come to rest, or is not there, and what the saga held was not let go. Each answer is
/// one statement, so a saga that ends at this moment is seen whole, before or after.
/// </summary>
public sealed class AbandonedWork(IDbContextFactory<ControlPlaneDbContext> contexts)
{
    /// <summary>
    /// VMs that have not changed since a time and are in the hands of an operation that has ended or has no saga under way, or between two
    /// states without any operation. A stuck operation holds its VM by right.
    /// </summary>
    public Task<IReadOnlyList<VirtualMachine>> VmsAsync(DateTimeOffset before, int limit, CancellationToken ct) =>
        contexts.ReadAsync<IReadOnlyList<VirtualMachine>>(
            async db => await db.VirtualMachines.FromSql(
                $"""
                SELECT v.* FROM virtual_machines v
                LEFT JOIN operations o ON o.id = v.operation_id LEFT JOIN sagas s ON s.id = v.operation_id
                WHERE v.updated_at < {before.ToUniversalTime()}
                  AND CASE WHEN v.operation_id IS NULL THEN v.state IN ('pending', 'starting', 'stopping', 'migrating', 'deleting')
                           WHEN s.status IN ('running', 'unwinding', 'stuck') OR o.state = 'stuck' THEN false
                           ELSE true END
                LIMIT {limit}
                """).ToListAsync(ct),
            ct);

    /// <summary>Operations that were begun before a time, have not ended, and whose saga is at rest or not there.</summary>
    public Task<IReadOnlyList<Operation>> OperationsAsync(DateTimeOffset before, int limit, CancellationToken ct) =>
        contexts.ReadAsync<IReadOnlyList<Operation>>(
            async db => [.. (await db.Set<OperationRow>().FromSql(
                $"""
                SELECT o.* FROM operations o LEFT JOIN sagas s ON s.id = o.id
                WHERE o.ended_at IS NULL AND o.created_at < {before.ToUniversalTime()}
                  AND (s.id IS NULL OR s.status IN ('done', 'undone', 'stuck') AND s.updated_at < {before.ToUniversalTime()})
                LIMIT {limit}
                """).ToListAsync(ct)).Select(o => o.ToOperation())],
            ct);

    /// <summary>Migrations that count as under way although their operation has ended or is not there: they keep their VM from ever moving again.</summary>
    public Task<IReadOnlyList<Migration>> MigrationsAsync(int limit, CancellationToken ct) => contexts.ReadAsync<IReadOnlyList<Migration>>(
        async db => await db.Set<Migration>().FromSql(
            $"""
            SELECT m.* FROM vm_migrations m LEFT JOIN operations o ON o.id = m.operation_id
            WHERE m.ended_at IS NULL AND (o.id IS NULL OR o.state IN ('succeeded', 'failed', 'cancelled'))
            LIMIT {limit}
            """).ToListAsync(ct),
        ct);

    /// <summary>MAC addresses that are taken for interfaces which their VM, at rest, does not have.</summary>
    public Task<IReadOnlyList<MacUse>> MacsAsync(int limit, CancellationToken ct) => contexts.ReadAsync<IReadOnlyList<MacUse>>(
        async db => await db.Set<MacUse>().FromSql(
            $"""
            SELECT a.* FROM mac_addresses a JOIN virtual_machines v ON v.id = a.vm_id
            WHERE v.operation_id IS NULL
              AND (v.state = 'failed' OR NOT EXISTS (SELECT 1 FROM jsonb_array_elements(v.interfaces) i WHERE i->>'name' = a.interface))
            LIMIT {limit}
            """).ToListAsync(ct),
        ct);
}

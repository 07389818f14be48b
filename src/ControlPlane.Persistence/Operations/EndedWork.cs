using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Schema;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Operations;

/// <summary>Removes operations and migrations that have ended, once they have been kept long enough.</summary>
public sealed class EndedWork(IDbContextFactory<ControlPlaneDbContext> contexts)
{
    /// <summary>
    /// Operations with the sagas and logs of the same ids, the oldest first, at most <paramref name="limit"/>. Stuck ones stay, and those
    /// whose steps are the phases of a migration that is still kept.
    /// </summary>
    /// <returns>How many operations there were.</returns>
    public Task<int> DeleteOperationsBeforeAsync(DateTimeOffset before, int limit, CancellationToken ct) => contexts.ReadAsync(
        async db => (await db.Database.SqlQuery<int>(
            $"""
            WITH gone AS (
              DELETE FROM operations WHERE id IN (
                SELECT o.id FROM operations o
                WHERE o.id < {FirstIdAt(before)} AND o.ended_at < {before.ToUniversalTime()} AND o.state IN ('succeeded', 'failed', 'cancelled')
                  AND NOT EXISTS (SELECT 1 FROM vm_migrations m WHERE m.operation_id = o.id)
                  AND NOT EXISTS (SELECT 1 FROM virtual_machines v WHERE v.operation_id = o.id)
                ORDER BY o.id LIMIT {limit})
              RETURNING id),
            sagas_gone AS (DELETE FROM sagas s USING gone WHERE s.id = gone.id),
            logs_gone AS (DELETE FROM saga_log l USING gone WHERE l.saga_id = gone.id)
            SELECT count(*)::int AS "Value" FROM gone
            """).ToListAsync(ct)).Single(),
        ct);

    /// <summary>Migrations, the oldest first, at most <paramref name="limit"/>, and says how many there were.</summary>
    public Task<int> DeleteMigrationsBeforeAsync(DateTimeOffset before, int limit, CancellationToken ct) => contexts.ReadAsync(
        db => db.Database.ExecuteSqlAsync(
            $"""
            DELETE FROM vm_migrations WHERE id IN (
              SELECT id FROM vm_migrations WHERE id < {FirstIdAt(before)} AND ended_at < {before.ToUniversalTime()} ORDER BY id LIMIT {limit})
            """,
            ct),
        ct);

    /// <summary>
    /// Nothing that ended before a time was begun after it, and ids are UUIDv7: so the primary key finds the old ones, and no index on
    /// the end is needed.
    /// </summary>
    private static Guid FirstIdAt(DateTimeOffset at)
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes, Math.Max(0, at.ToUnixTimeMilliseconds()) << 16);
        return new Guid(bytes, bigEndian: true);
    }
}

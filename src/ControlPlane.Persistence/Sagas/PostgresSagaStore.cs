using ControlPlane.Domain;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace ControlPlane.Persistence.Sagas;

/// <summary>
/// The engine's durable side on PostgreSQL. Appends go through the batching writer, so that many sagas share a commit; leases are taken
/// and renewed by statements of their own, which are few.
/// </summary>
public sealed class PostgresSagaStore(IDbContextFactory<ControlPlaneDbContext> contexts, BatchingWriter writer) : ISagaStore
{
    /// <summary>A new saga with its first entries, in the unit of whatever asks for it.</summary>
    public void Insert(WriteUnit unit, SagaRecord record, IReadOnlyList<SagaLogEntry> entries)
    {
        TableShapes<SagaRow>.Insert(unit, SagaRow.From(record));
        AddEntries(unit, record.Id, entries);
    }

    public async Task<AppendOutcome> AppendAsync(SagaAppend append, CancellationToken ct)
    {
        var unit = new WriteUnit();
        unit.Add(SagaShapes.Append, SagaShapes.AppendValues(append.Record, append.Entries.Count));
        AddEntries(unit, append.Record.Id, append.Entries);
        if (append.Changes is not null)
            unit.Include((WriteUnit)append.Changes);

        var committed = await writer.CommitAsync(unit, ct);
        return committed.Fault switch
        {
            null => new AppendOutcome(AppendResult.Committed),
            { Code: WriteFaults.LeaseLostCode } => new AppendOutcome(AppendResult.LeaseLost),
            { Kind: FaultKind.Unavailable } fault => throw new NpgsqlException(fault.Detail),
            var fault => new AppendOutcome(AppendResult.ChangesRefused, new SagaFailure(fault.Code, fault.Detail)),
        };
    }

    public async Task<IReadOnlyList<SagaRecord>> TakeExpiredAsync(
        string owner, DateTimeOffset now, DateTimeOffset leaseUntil, int limit, CancellationToken ct) => await TakeAsync(
        $"""
        UPDATE sagas s SET owner = {owner}, lease_until = {leaseUntil.ToUniversalTime()}, lease_generation = lease_generation + 1
        FROM (SELECT id FROM sagas WHERE status IN ('running', 'unwinding') AND lease_until < {now.ToUniversalTime()}
              ORDER BY id LIMIT {limit} FOR UPDATE SKIP LOCKED) taken
        WHERE s.id = taken.id RETURNING s.*
        """,
        ct);

    public Task RenewLeasesAsync(string owner, IReadOnlyCollection<Guid> held, DateTimeOffset leaseUntil, CancellationToken ct) => contexts.ReadAsync(
        db => db.Database.ExecuteSqlAsync(
            $"UPDATE sagas SET lease_until = {leaseUntil.ToUniversalTime()} WHERE owner = {owner} AND id = ANY ({held.ToArray()})", ct),
        ct);

    public Task<IReadOnlyList<Guid>> CancelRequestsAsync(string owner, CancellationToken ct) => contexts.ReadAsync<IReadOnlyList<Guid>>(
        async db => await db.Set<SagaRow>()
            .Where(s => s.Owner == owner && s.CancelRequested && (s.Status == SagaStatus.Running || s.Status == SagaStatus.Unwinding))
            .Select(s => s.Id).ToListAsync(ct),
        ct);

    public async Task<SagaRecord?> RequestCancelAsync(Guid id, CancellationToken ct)
    {
        await contexts.ReadAsync(
            db => db.Database.ExecuteSqlAsync(
                $"UPDATE sagas SET cancel_requested = true WHERE id = {id} AND status IN ('running', 'unwinding') AND NOT cancel_requested", ct),
            ct);
        return await FindAsync(id, ct);
    }

    public async Task<SagaRecord?> TakeStuckAsync(Guid id, string owner, DateTimeOffset leaseUntil, CancellationToken ct) => (await TakeAsync(
        $"""
        UPDATE sagas SET owner = {owner}, lease_until = {leaseUntil.ToUniversalTime()}, lease_generation = lease_generation + 1
        WHERE id = {id} AND status = 'stuck' RETURNING *
        """,
        ct)).SingleOrDefault();

    public Task<SagaRecord?> FindAsync(Guid id, CancellationToken ct) =>
        contexts.ReadAsync(async db => (await db.Set<SagaRow>().FirstOrDefaultAsync(s => s.Id == id, ct))?.ToRecord(), ct);

    public Task<IReadOnlyList<SagaLogEntry>> LogAsync(Guid id, CancellationToken ct) => contexts.ReadAsync<IReadOnlyList<SagaLogEntry>>(
        async db => [.. (await db.Set<SagaLogRow>().Where(l => l.SagaId == id).OrderBy(l => l.Sequence).ToListAsync(ct)).Select(l => l.ToEntry())], ct);

    /// <summary>Retention: removes sagas at rest with their logs, the oldest first, at most <paramref name="limit"/>. Stuck ones stay.</summary>
    public Task<int> DeleteRestedBeforeAsync(DateTimeOffset before, int limit, CancellationToken ct) => contexts.ReadAsync(
        db => db.Database.ExecuteSqlAsync(
            $"""
            WITH gone AS (
              DELETE FROM sagas WHERE id IN (
                SELECT id FROM sagas WHERE status IN ('done', 'undone') AND updated_at < {before.ToUniversalTime()} ORDER BY id LIMIT {limit})
              RETURNING id)
            DELETE FROM saga_log l USING gone WHERE l.saga_id = gone.id
            """,
            ct),
        ct);

    private static void AddEntries(WriteUnit unit, Guid saga, IReadOnlyList<SagaLogEntry> entries)
    {
        foreach (var entry in entries)
            TableShapes<SagaLogRow>.Insert(unit, new SagaLogRow(saga, entry.Sequence, entry.Step, entry.Event, entry.At, entry.Detail));
    }

    private Task<IReadOnlyList<SagaRecord>> TakeAsync(FormattableString sql, CancellationToken ct) => contexts.ReadAsync<IReadOnlyList<SagaRecord>>(
        async db => [.. (await db.Set<SagaRow>().FromSqlInterpolated(sql).ToListAsync(ct)).Select(s => s.ToRecord())], ct);
}

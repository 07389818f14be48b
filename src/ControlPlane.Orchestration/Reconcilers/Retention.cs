using ControlPlane.Persistence.Audit;
using ControlPlane.Persistence.Events;
using ControlPlane.Persistence.Idempotency;
using ControlPlane.Persistence.Operations;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// Deletes what has been kept long enough, the oldest first, in statements of a bounded size: no run holds locks for long, and what is
/// left over waits for the next one.
/// </summary>
internal abstract class Retention(string name, ReconcilerOptions options, TimeProvider clock) : IReconciler
{
    public string Name => name;

    public TimeSpan Every => options.RetentionEvery;

    public bool OnEveryServer => false;

    protected ReconcilerOptions Options => options;

    public async Task<ReconcileReport> RunAsync(CancellationToken ct)
    {
        var total = 0;
        for (var batch = 0; batch < options.DeleteBatchesMax; batch++)
        {
            var deleted = await DeleteAsync(clock.GetUtcNow(), options.DeleteBatch, ct);
            total += deleted;
            if (deleted < options.DeleteBatch)
                break;
        }
        return new ReconcileReport(total, total);
    }

    /// <returns>How many there were; fewer than the limit: nothing is left.</returns>
    protected abstract Task<int> DeleteAsync(DateTimeOffset now, int limit, CancellationToken ct);
}

/// <summary>Answers whose time is over, and keys of requests that never came to an end.</summary>
internal sealed class IdempotencyRetention(IdempotencyStore keys, ReconcilerOptions options, TimeProvider clock)
    : Retention("idempotency-retention", options, clock)
{
    protected override Task<int> DeleteAsync(DateTimeOffset now, int limit, CancellationToken ct) => keys.DeleteExpiredAsync(now, limit, ct);
}

/// <summary>Events that no stream can resume from any more.</summary>
internal sealed class EventRetention(EventStore events, ReconcilerOptions options, TimeProvider clock) : Retention("event-retention", options, clock)
{
    protected override Task<int> DeleteAsync(DateTimeOffset now, int limit, CancellationToken ct) =>
        events.DeleteBeforeAsync(now - Options.KeepEvents, limit, ct);
}

/// <summary>The trail of who did what.</summary>
internal sealed class AuditRetention(AuditStore audit, ReconcilerOptions options, TimeProvider clock) : Retention("audit-retention", options, clock)
{
    protected override Task<int> DeleteAsync(DateTimeOffset now, int limit, CancellationToken ct) =>
        audit.DeleteBeforeAsync(now - Options.KeepAudit, limit, ct);
}

/// <summary>Migrations that have ended. Their operations go once nothing shows their phases any more.</summary>
internal sealed class MigrationRetention(EndedWork ended, ReconcilerOptions options, TimeProvider clock) : Retention("migration-retention", options, clock)
{
    protected override Task<int> DeleteAsync(DateTimeOffset now, int limit, CancellationToken ct) =>
        ended.DeleteMigrationsBeforeAsync(now - Options.KeepMigrations, limit, ct);
}

/// <summary>Operations that have ended, with their sagas and logs. A stuck one has not: somebody is to act on it.</summary>
internal sealed class OperationRetention(EndedWork ended, ReconcilerOptions options, TimeProvider clock) : Retention("operation-retention", options, clock)
{
    protected override Task<int> DeleteAsync(DateTimeOffset now, int limit, CancellationToken ct) =>
        ended.DeleteOperationsBeforeAsync(now - Options.KeepOperations, limit, ct);
}

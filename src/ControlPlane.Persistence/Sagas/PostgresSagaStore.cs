using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Persistence.Sagas;

/// <summary>The engine's durable side on PostgreSQL.</summary>
public sealed class PostgresSagaStore : ISagaStore
{
    /// <summary>A new saga with its first entries, in the unit of whatever asks for it.</summary>
    public void Insert(WriteUnit unit, SagaRecord record, IReadOnlyList<SagaLogEntry> entries) => throw new NotSupportedException();

    public Task<AppendOutcome> AppendAsync(SagaAppend append, CancellationToken ct) => throw new NotSupportedException();

    public Task<IReadOnlyList<SagaRecord>> TakeExpiredAsync(string owner, DateTimeOffset now, DateTimeOffset leaseUntil, int limit, CancellationToken ct) => throw new NotSupportedException();

    public Task RenewLeasesAsync(string owner, IReadOnlyCollection<Guid> held, DateTimeOffset leaseUntil, CancellationToken ct) => throw new NotSupportedException();

    public Task<IReadOnlyList<Guid>> CancelRequestsAsync(string owner, CancellationToken ct) => throw new NotSupportedException();

    public Task<SagaRecord?> RequestCancelAsync(Guid id, CancellationToken ct) => throw new NotSupportedException();

    public Task<SagaRecord?> TakeStuckAsync(Guid id, string owner, DateTimeOffset leaseUntil, CancellationToken ct) => throw new NotSupportedException();

    public Task<SagaRecord?> FindAsync(Guid id, CancellationToken ct) => throw new NotSupportedException();

    public Task<IReadOnlyList<SagaLogEntry>> LogAsync(Guid id, CancellationToken ct) => throw new NotSupportedException();
}

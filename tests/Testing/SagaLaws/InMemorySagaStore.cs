using ControlPlane.Sagas;

namespace ControlPlane.Testing.SagaLaws;

/// <summary>A saga store in memory, with the same refusals as the database's.</summary>
/// <param name="apply">Makes the application's changes, all or none; answers why it refuses them, or null.</param>
public sealed class InMemorySagaStore(Func<IChangeSet, SagaFailure?> apply) : ISagaStore
{
    private readonly Lock gate = new();
    private readonly Dictionary<Guid, Row> rows = [];

    public InMemorySagaStore()
        : this(static _ => null)
    {
    }

    /// <summary>Commits that went through, for tests that bound their number.</summary>
    public int CommitCount { get; private set; }

    /// <summary>What the application does in its own transaction.</summary>
    public void Insert(SagaStart start)
    {
        lock (gate)
            rows.Add(start.Record.Id, new Row(start.Record, [start.FirstEntry]));
    }

    /// <summary>As if an older version, or another program, had written the row.</summary>
    public void Overwrite(SagaRecord record)
    {
        lock (gate)
            rows[record.Id].Record = record;
    }

    public Task<AppendOutcome> AppendAsync(SagaAppend append, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        lock (gate)
        {
            var row = rows[append.Record.Id];
            var length = append.Record.LogLength - append.Entries.Count;
            if (row.Record.LeaseGeneration != append.Record.LeaseGeneration || row.Log.Count != length)
                return Task.FromResult(new AppendOutcome(AppendResult.LeaseLost));
            if (row.Record.Status is SagaStatus.Done or SagaStatus.Undone)
                throw new InvalidOperationException($"An append to a saga that is {row.Record.Status}.");
            if (append.Entries.Where((entry, i) => entry.Sequence != length + i).Any())
                throw new InvalidOperationException("The sequence of the log has a gap.");
            if (append.Changes is { } changes && apply(changes) is { } refusal)
                return Task.FromResult(new AppendOutcome(AppendResult.ChangesRefused, refusal));

            row.Record = append.Record with { CancelRequested = append.Record.CancelRequested || row.Record.CancelRequested };
            row.Log.AddRange(append.Entries);
            CommitCount++;
            return Task.FromResult(new AppendOutcome(AppendResult.Committed));
        }
    }

    public Task<IReadOnlyList<SagaRecord>> TakeExpiredAsync(
        string owner, DateTimeOffset now, DateTimeOffset leaseUntil, int limit, CancellationToken ct)
    {
        lock (gate)
        {
            var expired = rows.Values.Where(r => !r.Record.IsAtRest && r.Record.LeaseUntil < now).OrderBy(r => r.Record.CreatedAt).Take(limit);
            return Task.FromResult<IReadOnlyList<SagaRecord>>([.. expired.Select(r => Take(r, owner, leaseUntil))]);
        }
    }

    public Task RenewLeasesAsync(string owner, IReadOnlyCollection<Guid> held, DateTimeOffset leaseUntil, CancellationToken ct)
    {
        lock (gate)
        {
            foreach (var id in held)
            {
                if (rows.TryGetValue(id, out var row) && row.Record.Owner == owner && !row.Record.IsAtRest)
                    row.Record = row.Record with { LeaseUntil = leaseUntil };
            }
        }

        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<Guid>> CancelRequestsAsync(string owner, CancellationToken ct)
    {
        lock (gate)
        {
            return Task.FromResult<IReadOnlyList<Guid>>(
                [.. rows.Values.Select(r => r.Record).Where(r => r.CancelRequested && r.Owner == owner && !r.IsAtRest).Select(r => r.Id)]);
        }
    }

    public Task<SagaRecord?> RequestCancelAsync(Guid id, CancellationToken ct)
    {
        lock (gate)
        {
            if (rows.TryGetValue(id, out var row) && !row.Record.IsAtRest)
                row.Record = row.Record with { CancelRequested = true };
            return Task.FromResult(row?.Record);
        }
    }

    public Task<SagaRecord?> TakeStuckAsync(Guid id, string owner, DateTimeOffset leaseUntil, CancellationToken ct)
    {
        lock (gate)
        {
            var taken = rows.TryGetValue(id, out var row) && row.Record.Status == SagaStatus.Stuck ? Take(row, owner, leaseUntil) : null;
            return Task.FromResult(taken);
        }
    }

    public Task<SagaRecord?> FindAsync(Guid id, CancellationToken ct)
    {
        lock (gate)
            return Task.FromResult(rows.GetValueOrDefault(id)?.Record);
    }

    public Task<IReadOnlyList<SagaLogEntry>> LogAsync(Guid id, CancellationToken ct)
    {
        lock (gate)
            return Task.FromResult<IReadOnlyList<SagaLogEntry>>(rows.TryGetValue(id, out var row) ? [.. row.Log] : []);
    }

    private static SagaRecord Take(Row row, string owner, DateTimeOffset leaseUntil) =>
        row.Record = row.Record with { Owner = owner, LeaseUntil = leaseUntil, LeaseGeneration = row.Record.LeaseGeneration + 1 };

    private sealed class Row(SagaRecord record, List<SagaLogEntry> log)
    {
        public SagaRecord Record { get; set; } = record;

        public List<SagaLogEntry> Log { get; } = log;
    }
}

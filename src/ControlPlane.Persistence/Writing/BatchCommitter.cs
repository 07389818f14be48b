using ControlPlane.Domain;
using Npgsql;

namespace ControlPlane.Persistence.Writing;

/// <summary>
/// Commits a list of units on one connection: first all together, and when that is refused, each behind a savepoint of its own, so that
/// only the guilty one falls out. Throws what the connection throws; whoever calls decides about trying again.
/// </summary>
internal sealed class BatchCommitter(WriterConnection connection, NotificationFormat? notifications)
{
    private const int ContentionTriesMax = 5;

    /// <summary>What the units' answers are if the transaction under way is committed.</summary>
    public Fault?[] Prospect { get; private set; } = [];

    /// <summary>One transaction of as few statements as possible.</summary>
    /// <returns>Null: committed. Otherwise nothing was written; the fault is that of the only unit, when there is only one.</returns>
    public async Task<Fault?> CommitTogetherAsync(IReadOnlyList<WriteUnit> units, CancellationToken ct)
    {
        var groups = StatementGroup.Merge(units.Select(u => u.Writes));
        await using var transaction = await connection.BeginAsync(ct);
        await using var batch = connection.CreateBatch();
        batch.BatchCommands.Add(connection.NumberBatch());
        foreach (var group in groups)
            batch.BatchCommands.Add(group.ToCommand());
        AddTail(batch, units);
        Prospect = new Fault?[units.Count];
        var fault = await RunAsync(batch, groups, first: 1, ct);
        if (fault is null)
            await connection.CommitAsync(transaction, ct);
        else
            await transaction.RollbackAsync(ct);
        return fault;
    }

    /// <summary>One transaction, one savepoint for each unit.</summary>
    /// <returns>By unit: null when it was committed.</returns>
    public async Task<Fault?[]> CommitApartAsync(IReadOnlyList<WriteUnit> units, CancellationToken ct)
    {
        var faults = new Fault?[units.Count];
        await using var transaction = await connection.BeginAsync(ct);
        await using (var start = connection.CreateBatch())
        {
            start.BatchCommands.Add(connection.NumberBatch());
            await start.ExecuteNonQueryAsync(ct);
        }
        for (var i = 0; i < units.Count; i++)
            faults[i] = await TryAloneAsync(units[i], ct);

        await using var tail = connection.CreateBatch();
        AddTail(tail, [.. units.Where((_, i) => faults[i] is null)]);
        if (tail.BatchCommands.Count > 0)
            await tail.ExecuteNonQueryAsync(ct);
        Prospect = faults;
        await connection.CommitAsync(transaction, ct);
        return faults;
    }

    private async Task<Fault?> TryAloneAsync(WriteUnit unit, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            var groups = StatementGroup.Merge([unit.Writes]);
            await using var batch = connection.CreateBatch();
            batch.BatchCommands.Add(new NpgsqlBatchCommand("SAVEPOINT unit"));
            foreach (var group in groups)
                batch.BatchCommands.Add(group.ToCommand());
            try
            {
                if (await RunAsync(batch, groups, first: 1, ct) is not { } fault)
                {
                    await ExecuteAsync("RELEASE SAVEPOINT unit", ct);
                    return null;
                }
                await ExecuteAsync("ROLLBACK TO SAVEPOINT unit", ct);
                return fault;
            }
            catch (PostgresException e) when (IsContention(e))
            {
                await ExecuteAsync("ROLLBACK TO SAVEPOINT unit", ct);
                if (attempt == ContentionTriesMax)
                    return WriteFaults.DatabaseBusy;
            }
        }
    }

    /// <summary>Another transaction was in the way: the same again may well succeed.</summary>
    public static bool IsContention(PostgresException e) =>
        e.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.LockNotAvailable;

    private static async Task<Fault?> RunAsync(NpgsqlBatch batch, List<StatementGroup> groups, int first, CancellationToken ct)
    {
        try
        {
            await batch.ExecuteNonQueryAsync(ct);
        }
        catch (PostgresException e) when (ConstraintFaults.Of(e, TableOf(batch, groups, first, e)) is { } fault)
        {
            return fault;
        }
        for (var i = 0; i < groups.Count; i++)
        {
            if (!groups[i].IsSatisfiedBy(batch.BatchCommands[first + i]))
                return groups[i].Missed();
        }
        return null;
    }

    private static string? TableOf(NpgsqlBatch batch, List<StatementGroup> groups, int first, PostgresException e)
    {
        var index = e.BatchCommand is { } failed ? batch.BatchCommands.IndexOf((NpgsqlBatchCommand)failed) - first : -1;
        return index >= 0 && index < groups.Count ? groups[index].Shape.Table : null;
    }

    /// <summary>Events, then the notification: the last of the transaction, because both take locks that every writer wants.</summary>
    private void AddTail(NpgsqlBatch batch, IReadOnlyList<WriteUnit> units)
    {
        var events = StatementGroup.Merge(units.Select(u => u.Events));
        if (events.Count > 0)
            batch.BatchCommands.Add(new NpgsqlBatchCommand(EventShapes.Lock));
        foreach (var group in events)
            batch.BatchCommands.Add(group.ToCommand());
        if (notifications?.Command(events.Count > 0, units) is { } notify)
            batch.BatchCommands.Add(notify);
    }

    private async Task ExecuteAsync(string sql, CancellationToken ct)
    {
        await using var batch = connection.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(sql));
        await batch.ExecuteNonQueryAsync(ct);
    }
}

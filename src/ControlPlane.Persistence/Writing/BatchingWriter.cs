using System.Threading.Channels;
using ControlPlane.Domain;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ControlPlane.Persistence.Writing;

/// <summary>
/// The one way in which this server writes. Units that arrive together are committed together; each caller's answer waits for the commit.
/// </summary>
public sealed partial class BatchingWriter : IAsyncDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RetryDelayMax = TimeSpan.FromSeconds(2);
    private const int TogetherTriesMax = 3;
    private const int GatherTurns = 4;

    private readonly WriterOptions options;
    private readonly CommitSignals signals;
    private readonly TimeProvider time;
    private readonly ILogger<BatchingWriter> logger;
    private readonly NpgsqlDataSource source;
    private readonly Channel<Pending> queue;
    private readonly Task[] loops;

    public BatchingWriter(
        PersistenceOptions persistence, CommitSignals signals, ServerIdentity server, IIdSource ids, TimeProvider time, ILogger<BatchingWriter> logger)
    {
        (options, this.signals, this.time, this.logger) = (persistence.Writer, signals, time, logger);
        source = CreateSource(persistence.ConnectionString);
        queue = Channel.CreateBounded<Pending>(new BoundedChannelOptions(options.QueueMax) { SingleReader = options.Connections == 1 });
        var notifications = options.NotifyOthers ? new NotificationFormat(server.Id) : null;
        // Writers work on the thread pool whatever context asked for them first.
        loops = [.. Enumerable.Range(0, options.Connections).Select(_ => new WriterConnection(source, ids.Next()))
            .Select(connection => Task.Run(() => RunAsync(connection, new BatchCommitter(connection, notifications))))];
    }

    /// <summary>
    /// Commits the unit. A fault says that nothing of it was written, but for <c>database-unavailable</c>: then it is not known.
    /// </summary>
    /// <param name="ct">Counts until the unit is queued; from then on it is carried out.</param>
    public async Task<Outcome<Done>> CommitAsync(WriteUnit unit, CancellationToken ct)
    {
        var pending = new Pending(unit);
        try
        {
            await queue.Writer.WriteAsync(pending, ct);
        }
        catch
        {
            unit.Settle(committed: false);
            throw;
        }
        return await pending.Answer.Task is { } fault ? fault : default(Done);
    }

    /// <summary>Commits what is queued, then closes.</summary>
    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await Task.WhenAll(loops);
        await source.DisposeAsync();
    }

    private static NpgsqlDataSource CreateSource(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            MaxAutoPrepare = 256,
            AutoPrepareMinUsages = 2,
            Pooling = false,
            // Which statement failed tells a missing reference from a row that is still referred to.
            IncludeFailedBatchedCommand = true,
        };
        settings.Options = $"{settings.Options} {WriterConnection.SessionSettings}".Trim();
        return NpgsqlDataSource.Create(settings.ConnectionString);
    }

    private async Task RunAsync(WriterConnection connection, BatchCommitter committer)
    {
        await using var _ = connection;
        var units = new List<Pending>(options.BatchMax);
        while (await queue.Reader.WaitToReadAsync())
        {
            await LetCallersSpeakAsync();
            while (units.Count < options.BatchMax && queue.Reader.TryRead(out var pending))
                units.Add(pending);
            if (units.Count > 0)
                await CommitAsync(connection, committer, units);
            units.Clear();
        }
    }

    /// <summary>
    /// Callers that were just answered, or whose turn it is, often have a next unit: whatever is ready to run on the thread pool runs before
    /// the batch is closed. It costs microseconds when nobody is, and doubles the size of batches when many are.
    /// </summary>
    private static async Task LetCallersSpeakAsync()
    {
        for (var i = 0; i < GatherTurns; i++)
            await Task.Yield();
    }

    private async Task CommitAsync(WriterConnection connection, BatchCommitter committer, List<Pending> units)
    {
        Fault?[] faults;
        try
        {
            faults = await CommitWithRetryAsync(connection, committer, [.. units.Select(u => u.Unit)]);
        }
        catch (Exception e)
        {
            await connection.CloseAsync();
            if (units.Count == 1)
            {
                // A bug in this unit's statements: its caller gets it, the writer goes on.
                units[0].Fail(e);
                return;
            }
            LogBatchFailed(e, units.Count);
            foreach (var unit in units)
                await CommitAsync(connection, committer, [unit]);
            return;
        }
        for (var i = 0; i < units.Count; i++)
            Settle(units[i], faults[i]);
        Announce(units, faults);
    }

    /// <summary>This server's memory learns of the end before the caller does.</summary>
    private void Settle(Pending unit, Fault? fault)
    {
        try
        {
            unit.Unit.Settle(committed: fault is null);
        }
        catch (Exception e)
        {
            // What is committed is committed, and the other units wait for their answers.
            LogSettleFailed(e);
        }
        unit.Answer.SetResult(fault);
    }

    /// <summary>Tries until the database has answered, or until it is time to give up.</summary>
    private async Task<Fault?[]> CommitWithRetryAsync(WriterConnection connection, BatchCommitter committer, WriteUnit[] units)
    {
        var started = time.GetTimestamp();
        var delay = RetryDelay;
        while (true)
        {
            try
            {
                if (!connection.IsOpen && await connection.OpenAsync(CancellationToken.None))
                    return committer.Prospect; // The commit whose answer was lost did happen.
                return await CommitOnceAsync(committer, units);
            }
            catch (Exception e) when (connection.IsInDoubt || (e is NpgsqlException npgsql && IsOutage(npgsql)))
            {
                LogOutage(e, units.Length);
                await connection.CloseAsync();
                if (time.GetElapsedTime(started) + delay > options.GiveUpAfter)
                {
                    connection.GiveUpDoubt();
                    return [.. units.Select(_ => WriteFaults.DatabaseUnavailable)];
                }
            }
            await Task.Delay(delay, time);
            delay = delay * 2 > RetryDelayMax ? RetryDelayMax : delay * 2;
        }
    }

    private static async Task<Fault?[]> CommitOnceAsync(BatchCommitter committer, WriteUnit[] units)
    {
        for (var attempt = 1; attempt <= TogetherTriesMax; attempt++)
        {
            try
            {
                var fault = await committer.CommitTogetherAsync(units, CancellationToken.None);
                if (fault is null || units.Length == 1)
                    return [.. units.Select(_ => fault)];
                break;
            }
            catch (PostgresException e) when (BatchCommitter.IsContention(e))
            {
                // The lock that was waited for is free by now: try again at once, and at last unit by unit.
            }
        }
        return await committer.CommitApartAsync(units, CancellationToken.None);
    }

    /// <summary>The connection or the server is gone, or the server cannot work now: nothing is wrong with the units.</summary>
    private static bool IsOutage(NpgsqlException e) =>
        e is not PostgresException postgres || postgres.IsTransient || postgres.SqlState.StartsWith("57P", StringComparison.Ordinal)
        || postgres.SqlState.StartsWith("08", StringComparison.Ordinal) || postgres.SqlState.StartsWith("53", StringComparison.Ordinal);

    private void Announce(List<Pending> units, Fault?[] faults)
    {
        var committed = units.Where((_, i) => faults[i] is null).Select(u => u.Unit).ToList();
        var ids = committed.SelectMany(u => u.Signals).ToList();
        var hasEvents = committed.Exists(u => u.Events.Count > 0);
        if (hasEvents || ids.Count > 0)
            signals.Raise(new CommitSignal(hasEvents, ids, mayHaveMissed: false));
    }

    [LoggerMessage(LogLevel.Warning, "The database did not answer; {Units} writes wait and are tried again")]
    private partial void LogOutage(Exception exception, int units);

    [LoggerMessage(LogLevel.Error, "A batch of {Units} writes failed in a way that no constraint explains; they are tried one by one")]
    private partial void LogBatchFailed(Exception exception, int units);

    [LoggerMessage(LogLevel.Error, "What was to follow the end of a write failed")]
    private partial void LogSettleFailed(Exception exception);

    private sealed class Pending(WriteUnit unit)
    {
        public WriteUnit Unit { get; } = unit;

        public TaskCompletionSource<Fault?> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Fail(Exception bug)
        {
            Unit.Settle(committed: false);
            Answer.SetException(bug);
        }
    }
}

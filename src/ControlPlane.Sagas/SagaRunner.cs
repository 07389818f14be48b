using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Sagas;

/// <summary>
/// Runs sagas on this server: those it is given, and those of servers that died. A saga is in memory from then until it rests; while it
/// waits it costs a timer. Nothing polls: steps are called when created, due or woken.
/// </summary>
public sealed class SagaRunner : IAsyncDisposable
{
    private readonly ConcurrentDictionary<Guid, SagaRun> held = new();
    private readonly SagaRegistry registry;
    private readonly SagaRuntime runtime;
    private readonly RestWaiters waiters;
    private readonly LeaseKeeper leases;
    private readonly ILogger log;

    public SagaRunner(SagaRegistry registry, ISagaStore store, TimeProvider clock, SagaRunnerOptions options, ILogger<SagaRunner> log)
        : this(registry, store, clock, options, log, interceptor: null)
    {
    }

    internal SagaRunner(
        SagaRegistry registry, ISagaStore store, TimeProvider clock, SagaRunnerOptions options, ILogger log, IStepInterceptor? interceptor)
    {
        this.registry = registry;
        this.log = log;
        runtime = new SagaRuntime(store, clock, options, log, interceptor);
        waiters = new RestWaiters(store, held.ContainsKey);
        leases = new LeaseKeeper(runtime, held, AdoptAsync, waiters);
    }

    /// <summary>
    /// A saga has come to rest on this server: done, undone or stuck. Raised after the commit, on the thread that drove it, so a listener
    /// must be quick. A stuck saga that this server could not even read (<see cref="SagaFailure.UnknownKind"/>,
    /// <see cref="SagaFailure.Unreadable"/>) has had no closing hook.
    /// </summary>
    public event Action<SagaRecord>? SagaAtRest;

    /// <summary>Sagas in memory: driven, queued or parked.</summary>
    public int HeldCount => held.Count;

    internal bool Holds(Guid id) => held.ContainsKey(id);

    /// <summary>For a driver of virtual time: nothing happens now until time goes on or a signal comes.</summary>
    internal async Task WhenIdleAsync()
    {
        await leases.WhenTickedAsync();
        await runtime.Queue.WhenIdleAsync();
    }

    /// <summary>Takes over what dead servers left, and from now on drives what <see cref="Run"/> brings.</summary>
    public async Task StartAsync(CancellationToken ct)
    {
        await leases.StartAsync(ct);
        runtime.Queue.Open(DriveAsync);
    }

    /// <summary>Drives a saga whose row has been committed. A saga that is held already is left as it is.</summary>
    public void Run(SagaStart start)
    {
        if (!registry.TryResolve(start.Record.Kind, start.Record.Version, out var definition))
            throw new ArgumentException($"No saga '{start.Record.Kind}' is registered.", nameof(start));
        Hold(definition.Start(runtime, start));
    }

    /// <summary>
    /// Calls the waiting step of a saga now, because what it waits for may have happened. A saga that runs is called again when it comes
    /// to wait; one that is not held here is left alone, its owner's timer will find out.
    /// </summary>
    /// <returns>False when it is not held here.</returns>
    public bool Wake(Guid id)
    {
        if (!held.TryGetValue(id, out var run))
            return false;
        run.Wake();
        return true;
    }

    /// <summary>
    /// Asks a saga to turn round. It does at the next boundary, a waiting one at once; on another server, at that server's next tick or
    /// when its <see cref="NoticeAsync"/> is called.
    /// </summary>
    public async Task<CancelResult> RequestCancelAsync(Guid id, CancellationToken ct)
    {
        var row = await runtime.Store.RequestCancelAsync(id, ct);
        if (row is null)
            return CancelResult.NotFound;
        if (row.IsAtRest)
            return CancelResult.TooLate;
        if (held.TryGetValue(id, out var run))
            run.RaiseCancel();
        return registry.TryResolve(row.Kind, row.Version, out var plan) && row.Status == SagaStatus.Running && !plan.CanTurnRound(row)
            ? CancelResult.TooLate
            : CancelResult.Accepted;
    }

    /// <summary>Another server says that something about this saga has changed: looks at its row again.</summary>
    public async Task NoticeAsync(Guid id, CancellationToken ct)
    {
        if (held.TryGetValue(id, out var run))
        {
            if (await runtime.Store.FindAsync(id, ct) is { CancelRequested: true })
                run.RaiseCancel();
        }
        else
        {
            await waiters.LookAsync(id, ct);
        }
    }

    /// <summary>
    /// Puts a stuck saga back onto its way, with all its tries: forward when it was past its point of no return, else on with the undo.
    /// </summary>
    /// <param name="changes">Committed together with it, such as the operation's return to running.</param>
    public async Task<ResumeResult> ResumeStuckAsync(Guid id, IChangeSet? changes, CancellationToken ct)
    {
        var moment = runtime.Moment();
        var stuck = await runtime.Store.TakeStuckAsync(id, runtime.Options.Owner, moment.LeaseUntil, ct);
        if (stuck is null)
            return ResumeResult.NotStuck;
        if (!registry.TryResolve(stuck.Kind, stuck.Version, out var definition))
            return ResumeResult.UnknownKind;
        var resumption = definition.Resumption(stuck, await runtime.Store.LogAsync(id, ct), moment, changes);
        var appended = await runtime.Store.AppendAsync(resumption, ct);
        if (appended.Result == AppendResult.ChangesRefused)
            return ResumeResult.ChangesRefused;
        if (appended.Result == AppendResult.LeaseLost)
            return ResumeResult.NotStuck;
        Hold(definition.Recover(runtime, resumption.Record));
        return ResumeResult.Resumed;
    }

    /// <summary>
    /// Completes with the row of the saga once it rests, at once when it does already, with null when there is none. Of a saga on
    /// another server it learns by <see cref="NoticeAsync"/>, at the latest with the next tick.
    /// </summary>
    public Task<RestedSaga?> WhenAtRestAsync(Guid id, CancellationToken ct) => waiters.WaitAsync(id, ct);

    /// <summary>
    /// Drives nothing further than its next commit. What has not reached one when the time of grace is over is abandoned: its row says
    /// where to go on. At the end the leases are given back, so that another server need not wait for them to lapse; not those of steps
    /// that run on although they were cancelled.
    /// </summary>
    public async Task StopAsync(TimeSpan grace)
    {
        runtime.IsStopping = true;
        leases.Stop();
        if (!await IsIdleWithinAsync(grace))
        {
            log.Abandoned(held.Count);
            runtime.Abandon();
            await IsIdleWithinAsync(TimeSpan.FromSeconds(1));
        }

        foreach (var run in held.Values.Where(run => !run.Retire()))
            held.TryRemove(run.Id, out _);
        await leases.GiveBackAsync();
        held.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        if (!runtime.IsStopping)
            await StopAsync(TimeSpan.FromSeconds(1));
        leases.Dispose();
        runtime.Dispose();
    }

    /// <summary>As if the process had died: nothing is committed, given back or called any more.</summary>
    internal void Crash()
    {
        runtime.IsStopping = true;
        leases.Stop();
        foreach (var run in held.Values)
            run.Retire();
        held.Clear();
        runtime.Abandon();
    }

    private async Task<bool> IsIdleWithinAsync(TimeSpan time)
    {
        try
        {
            await runtime.Queue.WhenIdleAsync().WaitAsync(time, runtime.Clock);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private void Hold(SagaRun run)
    {
        // One that is held already finds the lease's new generation in its row, when its next commit is refused.
        if (held.TryAdd(run.Id, run))
            runtime.Queue.Add(run);
    }

    private async Task AdoptAsync(SagaRecord record, CancellationToken ct)
    {
        log.TakenOver(record.Kind, record.Id, record.NextStep, record.Status);
        if (registry.TryResolve(record.Kind, record.Version, out var definition))
        {
            Hold(definition.Recover(runtime, record));
            return;
        }

        var failure = new SagaFailure(
            SagaFailure.UnknownKind,
            $"This server has no plan for {record.Kind} version {record.Version}: start one that has, and resume the saga there.");
        var append = SagaHistory.Unreadable(record, await runtime.Store.LogAsync(record.Id, ct), failure, runtime.Moment());
        if ((await runtime.Store.AppendAsync(append, ct)).Result == AppendResult.Committed)
            Rest(new RestedSaga(append.Record, Log: null));
    }

    /// <summary>Never throws: the queue's workers depend on it.</summary>
    private async Task DriveAsync(SagaRun run)
    {
        var end = await run.DriveAsync();
        if (end == DriveEnd.Stopped)
            run.StandStill();
        if (end is DriveEnd.Parked or DriveEnd.Stopped)
            return;
        held.TryRemove(new KeyValuePair<Guid, SagaRun>(run.Id, run));
        run.Retire();
        if (end == DriveEnd.AtRest && run.Record.Owner == runtime.Options.Owner)
            Rest(run.Rested);
        else if (end == DriveEnd.AtRest)
            waiters.Complete(run.Rested);
        else
            log.Lost(run.Record.Kind, run.Id);
    }

    private void Rest(RestedSaga rested)
    {
        var record = rested.Record;
        if (record.Status == SagaStatus.Stuck)
            log.Stuck(record.Kind, record.Id, record.Failure!.Code, record.Failure.Message);
        try
        {
            SagaAtRest?.Invoke(record);
        }
        catch (Exception bug)
        {
            // The saga rests whatever its listeners do.
            log.ListenerThrew(bug, record.Kind, record.Id);
        }

        waiters.Complete(rested);
    }
}

/// <summary>A saga at rest, as whoever waited for it learns of it.</summary>
/// <param name="Log">All of it, where this server drove the saga and so need not read it; otherwise null.</param>
public sealed record RestedSaga(SagaRecord Record, IReadOnlyList<SagaLogEntry>? Log);

/// <summary>What became of a request to cancel.</summary>
public enum CancelResult
{
    Accepted,

    /// <summary>The saga rests, or is past its point of no return.</summary>
    TooLate,
    NotFound,
}

/// <summary>What became of an operator's wish to resume a stuck saga.</summary>
public enum ResumeResult
{
    Resumed,

    /// <summary>Or somebody else has just resumed it.</summary>
    NotStuck,

    /// <summary>This server has no plan for it.</summary>
    UnknownKind,
    ChangesRefused,
}

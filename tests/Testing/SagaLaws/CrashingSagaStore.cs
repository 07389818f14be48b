using ControlPlane.Sagas;

namespace ControlPlane.Testing.SagaLaws;

/// <summary>Whether the commit that the crash meets is lost or made.</summary>
public enum CrashTime
{
    /// <summary>The action is done, its log entry is not.</summary>
    BeforeCommit,
    AfterCommit,
}

/// <summary>A commit at which the server dies.</summary>
/// <param name="Occurrence">From 1: a step that waits or retries commits more than once.</param>
public sealed record CrashPoint(string Step, bool IsUndo, CrashTime Time, int Occurrence);

/// <summary>A server's way to its store, that is cut at one commit. From then on no call is answered: the process is gone.</summary>
/// <param name="plan">Of the saga that is watched: names the step of a commit.</param>
public sealed class CrashingSagaStore(ISagaStore inner, SagaDescription plan, CrashPoint? point) : ISagaStore
{
    private readonly TaskCompletionSource crashed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SagaRecord? last;
    private int occurrence;

    public Task Crashed => crashed.Task;

    public async Task<AppendOutcome> AppendAsync(SagaAppend append, CancellationToken ct)
    {
        await WhileAliveAsync(ct);
        if (!IsPoint(append))
            return Noted(append, await inner.AppendAsync(append, ct));
        if (point!.Time == CrashTime.AfterCommit)
            await inner.AppendAsync(append, ct);
        crashed.TrySetResult();
        return await NeverAsync<AppendOutcome>(ct);
    }

    public async Task<IReadOnlyList<SagaRecord>> TakeExpiredAsync(
        string owner, DateTimeOffset now, DateTimeOffset leaseUntil, int limit, CancellationToken ct)
    {
        await WhileAliveAsync(ct);
        return await inner.TakeExpiredAsync(owner, now, leaseUntil, limit, ct);
    }

    public async Task RenewLeasesAsync(string owner, IReadOnlyCollection<Guid> held, DateTimeOffset leaseUntil, CancellationToken ct)
    {
        await WhileAliveAsync(ct);
        await inner.RenewLeasesAsync(owner, held, leaseUntil, ct);
    }

    public async Task<IReadOnlyList<Guid>> CancelRequestsAsync(string owner, CancellationToken ct)
    {
        await WhileAliveAsync(ct);
        return await inner.CancelRequestsAsync(owner, ct);
    }

    public async Task<SagaRecord?> RequestCancelAsync(Guid id, CancellationToken ct)
    {
        await WhileAliveAsync(ct);
        return await inner.RequestCancelAsync(id, ct);
    }

    public async Task<SagaRecord?> TakeStuckAsync(Guid id, string owner, DateTimeOffset leaseUntil, CancellationToken ct)
    {
        await WhileAliveAsync(ct);
        return await inner.TakeStuckAsync(id, owner, leaseUntil, ct);
    }

    public async Task<SagaRecord?> FindAsync(Guid id, CancellationToken ct)
    {
        await WhileAliveAsync(ct);
        return await inner.FindAsync(id, ct);
    }

    public async Task<IReadOnlyList<SagaLogEntry>> LogAsync(Guid id, CancellationToken ct)
    {
        await WhileAliveAsync(ct);
        return await inner.LogAsync(id, ct);
    }

    private bool IsPoint(SagaAppend append)
    {
        if (point is null)
            return false;
        // An append without entries parks the step that the row is at; one with entries is named by the first of them.
        var (step, isUndo) = append.Entries.Count > 0
            ? (append.Entries[0].Step, append.Entries[0].Event is SagaEvent.UndoStarted or SagaEvent.UndoFinished or SagaEvent.UndoFailed)
            : (plan.Steps[append.Record.NextStep].Name, (last ?? append.Record).Status == SagaStatus.Unwinding);
        return step == point.Step && isUndo == point.IsUndo && ++occurrence == point.Occurrence;
    }

    private AppendOutcome Noted(SagaAppend append, AppendOutcome outcome)
    {
        if (outcome.Result == AppendResult.Committed)
            last = append.Record;
        return outcome;
    }

    private Task WhileAliveAsync(CancellationToken ct) => crashed.Task.IsCompleted ? NeverAsync<bool>(ct) : Task.CompletedTask;

    private static async Task<T> NeverAsync<T>(CancellationToken ct)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
        throw new InvalidOperationException("A dead server's call was answered.");
    }
}

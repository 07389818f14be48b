namespace ControlPlane.Sagas;

/// <summary>
/// Changes of the application's own tables that a step wants committed together with its log entry. The engine hands them through
/// unread: the store knows what they are.
/// </summary>
public interface IChangeSet
{
    /// <summary>
    /// These changes followed by the other's, as one set: the last step's own changes and those of the saga's closing hook are one commit.
    /// </summary>
    IChangeSet And(IChangeSet next);
}

/// <summary>What happened to a step. The log is append-only and reads as the saga's history.</summary>
public enum SagaEvent
{
    Started,
    Succeeded,

    /// <summary>The step gave up; unwinding follows, or rest as stuck when the point of no return is passed.</summary>
    Failed,
    UndoStarted,
    UndoFinished,

    /// <summary>An undo could not be done after all its tries: the saga is stuck.</summary>
    UndoFailed,
}

/// <param name="Sequence">Position in the log of its saga, from 0, without gaps.</param>
/// <param name="Detail">For people; null when there is nothing to say.</param>
public sealed record SagaLogEntry(int Sequence, string Step, SagaEvent Event, DateTimeOffset At, string? Detail);

/// <summary>Where a saga is.</summary>
public enum SagaStatus
{
    Running,
    Unwinding,

    /// <summary>Every step succeeded.</summary>
    Done,

    /// <summary>Every started step was undone.</summary>
    Undone,

    /// <summary>Neither forward nor back: an operator must act on the failure's message.</summary>
    Stuck,
}

/// <summary>Why a saga turned round or got stuck.</summary>
/// <param name="Code">Stable, kebab-case: the step's own, or one of those below.</param>
public sealed record SagaFailure(string Code, string Message)
{
    /// <summary>Somebody asked for it.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>The plan's time limit has passed.</summary>
    public const string TimedOut = "timed-out";

    /// <summary>A transient fault that did not go away.</summary>
    public const string Transient = "transient-fault";

    /// <summary>A step threw: a bug, or a fault that nobody has made a value of.</summary>
    public const string Unexpected = "unexpected-error";

    /// <summary>This server has no plan for the row's kind and version.</summary>
    public const string UnknownKind = "unknown-saga-kind";

    /// <summary>The row's state does not fit its plan.</summary>
    public const string Unreadable = "unreadable-saga";
}

/// <summary>The stored row of a saga: all that is needed to go on with it after a crash.</summary>
/// <param name="Kind">Names the plan; with <paramref name="Version"/> it stays resolvable for as long as such sagas may be running.</param>
/// <param name="State">The step functions' state as JSON.</param>
/// <param name="NextStep">
/// Running: the index of the step that has started and not yet succeeded. Unwinding: the index of the step whose undo has started and
/// not yet finished.
/// </param>
/// <param name="Attempt">Tries of that step so far.</param>
/// <param name="WakeAt">Parked until then, or until woken; null: runnable now.</param>
/// <param name="LogLength">Entries so far: the next one's sequence.</param>
/// <param name="Owner">The server that holds the lease.</param>
/// <param name="LeaseGeneration">Grows with every take-over; an append that carries an older one is refused.</param>
public sealed record SagaRecord(
    Guid Id, string Kind, int Version, string State, SagaStatus Status, int NextStep, int Attempt, DateTimeOffset? WakeAt,
    bool CancelRequested, SagaFailure? Failure, int LogLength, string Owner, long LeaseGeneration, DateTimeOffset LeaseUntil,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    public bool IsAtRest => Status is SagaStatus.Done or SagaStatus.Undone or SagaStatus.Stuck;
}

/// <summary>One commit: the row as it is to be, the entries to append, and the application's changes. All or nothing.</summary>
public sealed record SagaAppend(SagaRecord Record, IReadOnlyList<SagaLogEntry> Entries, IChangeSet? Changes);

/// <summary>What became of a commit.</summary>
public enum AppendResult
{
    Committed,

    /// <summary>Another server holds the lease now: stop at once, touch nothing.</summary>
    LeaseLost,

    /// <summary>The application's changes met a constraint or a compare-and-set that no longer holds; nothing was written.</summary>
    ChangesRefused,
}

/// <param name="Refusal">Why the changes were refused, for the step's failure.</param>
public readonly record struct AppendOutcome(AppendResult Result, SagaFailure? Refusal = null);

/// <summary>
/// The durable side of the engine. One implementation is the database, the other the memory that law tests crash. A store that
/// cannot answer throws; the engine then reads the row again before it goes on, so it never has to know whether a commit got through.
/// </summary>
public interface ISagaStore
{
    /// <summary>
    /// Appends where the stored row still is the one this commit was made from: same lease generation, and a log length equal to the
    /// record's less the entries. Anything else is <see cref="AppendResult.LeaseLost"/>. A cancel flag set meanwhile stays set: an append
    /// never lowers it.
    /// </summary>
    Task<AppendOutcome> AppendAsync(SagaAppend append, CancellationToken ct);

    /// <summary>
    /// Takes over sagas that are not at rest and whose lease has run out (<c>lease_until &lt; now</c>), at most <paramref name="limit"/>,
    /// skipping rows that another server is taking; each comes back with its owner, lease and lease generation renewed.
    /// </summary>
    Task<IReadOnlyList<SagaRecord>> TakeExpiredAsync(string owner, DateTimeOffset now, DateTimeOffset leaseUntil, int limit, CancellationToken ct);

    /// <summary>
    /// Sets the lease of those of the held sagas that the owner has not lost. Only what a runner really holds is renewed: a row that was
    /// inserted but never reached its runner lapses and is taken over like any other. With a time that is past it gives the leases back.
    /// </summary>
    Task RenewLeasesAsync(string owner, IReadOnlyCollection<Guid> held, DateTimeOffset leaseUntil, CancellationToken ct);

    /// <summary>The present value of the cancel flag of each saga of the owner that carries it.</summary>
    Task<IReadOnlyList<Guid>> CancelRequestsAsync(string owner, CancellationToken ct);

    /// <summary>Sets the cancel flag of a saga that is not at rest; the row as it now is, or null when there is none.</summary>
    Task<SagaRecord?> RequestCancelAsync(Guid id, CancellationToken ct);

    /// <summary>
    /// Gives the owner the lease of a stuck saga, lease generation renewed and still stuck, so that it can be resumed; null when the
    /// saga is not stuck.
    /// </summary>
    Task<SagaRecord?> TakeStuckAsync(Guid id, string owner, DateTimeOffset leaseUntil, CancellationToken ct);

    Task<SagaRecord?> FindAsync(Guid id, CancellationToken ct);

    Task<IReadOnlyList<SagaLogEntry>> LogAsync(Guid id, CancellationToken ct);
}

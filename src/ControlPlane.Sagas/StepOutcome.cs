namespace ControlPlane.Sagas;

/// <summary>
/// What a step did, or the undo of one. Steps run at least once: after a crash the same step is called again with the state it was
/// called with before, so every action must bear being repeated, and every undo must bear a step that only half ran.
/// </summary>
/// <typeparam name="TState">The saga's state: an immutable record that survives the way through JSON.</typeparam>
public sealed class StepOutcome<TState> where TState : class
{
    private StepOutcome(StepOutcomeKind kind) => Kind = kind;

    internal StepOutcomeKind Kind { get; }

    internal TState? State { get; private init; }

    internal IChangeSet? Changes { get; private init; }

    internal DateTimeOffset? WakeAt { get; private init; }

    internal TimeSpan WakeAfter { get; private init; }

    internal SagaFailure? Failure { get; private init; }

    /// <summary>The step is finished; the changes are committed together with its log entry.</summary>
    public static StepOutcome<TState> Done(TState state, IChangeSet? changes = null) =>
        new(StepOutcomeKind.Done) { State = state, Changes = changes };

    /// <summary>The same step is called again at this time, or as soon as <see cref="SagaRunner.Wake"/> names the saga.</summary>
    public static StepOutcome<TState> WaitUntil(TState state, DateTimeOffset wakeAt, IChangeSet? changes = null) =>
        new(StepOutcomeKind.Wait) { State = state, Changes = changes, WakeAt = wakeAt };

    /// <inheritdoc cref="WaitUntil"/>
    public static StepOutcome<TState> WaitFor(TState state, TimeSpan time, IChangeSet? changes = null) =>
        new(StepOutcomeKind.Wait) { State = state, Changes = changes, WakeAfter = time };

    /// <summary>
    /// A transient fault: the step is called again with the state it had, after the plan's back-off. When the plan's tries are used up,
    /// a step fails with this failure and an undo leaves the saga stuck with it.
    /// </summary>
    public static StepOutcome<TState> Retry(SagaFailure reason) => new(StepOutcomeKind.Retry) { Failure = reason };

    /// <inheritdoc cref="Retry(SagaFailure)"/>
    public static StepOutcome<TState> Retry(string reason) => Retry(new SagaFailure(SagaFailure.Transient, reason));

    /// <summary>
    /// Trying again is of no use. Before the point of no return the saga unwinds, this step included; after it, and in an undo, the saga
    /// is stuck. The changes are committed with the entry that says so.
    /// </summary>
    public static StepOutcome<TState> Fail(SagaFailure failure, IChangeSet? changes = null) =>
        new(StepOutcomeKind.Fail) { Failure = failure, Changes = changes };

    /// <summary>
    /// For the undo of the last step before the point of no return only: what the step began has passed that point by itself. Whatever turned
    /// the saga round came too late, so it goes forward from there. From any other step it is a failure.
    /// </summary>
    public static StepOutcome<TState> TooLate(SagaFailure reason) => new(StepOutcomeKind.TooLate) { Failure = reason };
}

internal enum StepOutcomeKind
{
    Done,
    Wait,
    Retry,
    Fail,
    TooLate,
}

/// <summary>A step, or the undo of one.</summary>
/// <param name="ct">Cancelled when the server stops and its time of grace is over: abandon the action; it is repeated elsewhere.</param>
public delegate Task<StepOutcome<TState>> StepAction<TState>(TState state, StepContext context, CancellationToken ct) where TState : class;

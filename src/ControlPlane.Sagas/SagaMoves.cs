namespace ControlPlane.Sagas;

/// <summary>A commit, and where the saga is once it is made.</summary>
internal readonly record struct SagaMove<TState>(SagaPosition<TState> Next, SagaAppend Append) where TState : class;

/// <summary>
/// Decides, and does nothing: from where a saga is and what its step answered to the one commit that follows. The end of a step and the
/// start of the next are the same commit.
/// </summary>
internal sealed class SagaMoves<TState>(SagaDefinition<TState> plan) where TState : class
{
    /// <param name="turn">Why the saga is to turn round at this boundary; null when it is not.</param>
    public SagaMove<TState> After(in SagaPosition<TState> at, StepOutcome<TState> outcome, SagaFailure? turn, Moment moment)
    {
        switch (outcome.Kind)
        {
            case StepOutcomeKind.Wait:
                var wakeAt = outcome.WakeAt ?? moment.Now + outcome.WakeAfter;
                return Parked(at, outcome.State!, attempt: 0, wakeAt, outcome.Changes, moment);
            case StepOutcomeKind.Retry when turn is null && at.Record.Attempt + 1 < plan.RetryPolicy.TriesMax:
                var attempt = at.Record.Attempt + 1;
                return Parked(at, at.State, attempt, moment.Now + plan.RetryPolicy.Delay(attempt, at.Record.Id), changes: null, moment);
            case StepOutcomeKind.Done:
                return at.IsUnwinding ? UndoFinished(at, outcome, moment) : Succeeded(at, outcome, turn, moment);
            case StepOutcomeKind.TooLate when at.IsUnwinding && StepBeyond(at) is { } beyond:
                return Overtaken(at, beyond, outcome.Failure!, moment);
            default:
                return at.IsUnwinding
                    ? Stuck(at, SagaEvent.UndoFailed, outcome.Failure!, outcome.Changes, moment)
                    : Failed(at, outcome.Failure!, turn, outcome.Changes, moment);
        }
    }

    /// <summary>Turns round in the middle of a step that waits, or before it was called.</summary>
    public SagaMove<TState> TurnRound(in SagaPosition<TState> at, SagaFailure reason, Moment moment) =>
        Failed(at, reason, turn: null, changes: null, moment);

    /// <summary>The same end without the changes that the store will not take: coming to rest goes before telling it.</summary>
    public SagaMove<TState> WithoutChanges(in SagaMove<TState> refused) => refused with { Append = refused.Append with { Changes = null } };

    /// <summary>The time by which the saga must have passed its point of no return; null when it has, or has no limit.</summary>
    public DateTimeOffset? Deadline(in SagaPosition<TState> at) =>
        plan.CanTurnRound(at.Record) && plan.TimeAllowed(at.State) is { } allowed ? at.Record.CreatedAt + allowed : null;

    private SagaMove<TState> Parked(
        in SagaPosition<TState> at, TState state, int attempt, DateTimeOffset wakeAt, IChangeSet? changes, Moment moment)
    {
        var next = at with { State = state };
        if (Deadline(next) is { } deadline && deadline < wakeAt)
            wakeAt = deadline;
        var record = at.Record with
        {
            State = Json(at, state), Attempt = attempt, WakeAt = wakeAt, LeaseUntil = moment.LeaseUntil, UpdatedAt = moment.Now,
        };
        return new SagaMove<TState>(next with { Record = record }, new SagaAppend(record, [], changes));
    }

    private SagaMove<TState> Succeeded(in SagaPosition<TState> at, StepOutcome<TState> outcome, SagaFailure? turn, Moment moment)
    {
        var step = at.Record.NextStep;
        var state = outcome.State!;
        var succeeded = Entry(at.Record, 0, step, SagaEvent.Succeeded, moment, detail: null);
        if (turn is not null)
            return Unwinding(at, state, turn, succeeded, outcome.Changes, moment);

        var following = plan.NextFrom(step + 1, state);
        if (following == plan.Count)
        {
            var changes = Join(outcome.Changes, plan.Saga.OnDone(state, new SagaEnd(at.Record.Id, moment.Now)));
            return To(at, state, SagaStatus.Done, following, failure: null, at.StartedSteps, [succeeded], changes, moment);
        }

        SagaLogEntry[] entries = [succeeded, Entry(at.Record, 1, following, SagaEvent.Started, moment, detail: null)];
        return To(at, state, SagaStatus.Running, following, failure: null, at.StartedSteps | (1 << following), entries, outcome.Changes, moment);
    }

    private SagaMove<TState> Failed(
        in SagaPosition<TState> at, SagaFailure failure, SagaFailure? turn, IChangeSet? changes, Moment moment)
    {
        var step = at.Record.NextStep;
        if (step >= plan.PointOfNoReturn)
            return Stuck(at, SagaEvent.Failed, failure, changes, moment);
        var failed = Entry(at.Record, 0, step, SagaEvent.Failed, moment, SagaHistory.Detail(failure));
        return Unwinding(at, at.State, turn ?? failure, failed, changes, moment);
    }

    /// <summary>The present step's undo is first: it was started, and may have half run.</summary>
    private SagaMove<TState> Unwinding(
        in SagaPosition<TState> at, TState state, SagaFailure reason, SagaLogEntry ended, IChangeSet? changes, Moment moment)
    {
        var step = at.Record.NextStep;
        SagaLogEntry[] entries = [ended, Entry(at.Record, 1, step, SagaEvent.UndoStarted, moment, SagaHistory.Detail(reason))];
        return To(at, state, SagaStatus.Unwinding, step, reason, at.StartedSteps, entries, changes, moment);
    }

    private SagaMove<TState> UndoFinished(in SagaPosition<TState> at, StepOutcome<TState> outcome, Moment moment)
    {
        var step = at.Record.NextStep;
        var state = outcome.State!;
        var failure = at.Record.Failure!;
        var finished = Entry(at.Record, 0, step, SagaEvent.UndoFinished, moment, detail: null);
        var left = at.StartedSteps & ~(1 << step);
        if (left == 0)
        {
            var changes = Join(outcome.Changes, plan.Saga.OnUndone(state, failure, new SagaEnd(at.Record.Id, moment.Now)));
            return To(at, state, SagaStatus.Undone, step, failure, left, [finished], changes, moment);
        }

        var following = 31 - int.LeadingZeroCount(left);
        SagaLogEntry[] entries = [finished, Entry(at.Record, 1, following, SagaEvent.UndoStarted, moment, detail: null)];
        return To(at, state, SagaStatus.Unwinding, following, failure, left, entries, outcome.Changes, moment);
    }

    /// <summary>The first step past the point of no return, when nothing lies between it and the present one; else null.</summary>
    private int? StepBeyond(in SagaPosition<TState> at)
    {
        var following = plan.NextFrom(at.Record.NextStep + 1, at.State);
        return following >= plan.PointOfNoReturn && following < plan.Count ? following : null;
    }

    /// <summary>The step whose undo ran has succeeded after all. Nothing was undone before it: it was the last.</summary>
    private SagaMove<TState> Overtaken(in SagaPosition<TState> at, int beyond, SagaFailure reason, Moment moment)
    {
        SagaLogEntry[] entries =
        [
            Entry(at.Record, 0, at.Record.NextStep, SagaEvent.Succeeded, moment, SagaHistory.Detail(reason)),
            Entry(at.Record, 1, beyond, SagaEvent.Started, moment, detail: null),
        ];
        return To(at, at.State, SagaStatus.Running, beyond, failure: null, at.StartedSteps | (1 << beyond), entries, changes: null, moment);
    }

    private SagaMove<TState> Stuck(in SagaPosition<TState> at, SagaEvent ended, SagaFailure failure, IChangeSet? changes, Moment moment)
    {
        var step = plan.NameOf(at.Record.NextStep);
        if (at.Record.Failure is { } reason)
            failure = failure with { Message = $"{failure.Message} (in the undo of '{step}', after {SagaHistory.Detail(reason)})" };
        IChangeSet? closing = null;
        try
        {
            closing = plan.Saga.OnStuck(at.State, failure, new SagaEnd(at.Record.Id, moment.Now));
        }
        catch (Exception bug)
        {
            // There is nowhere left to fall: the saga must rest, and its failure is what an operator reads.
            failure = failure with { Message = $"{failure.Message} (and its closing hook threw: {bug.Message})" };
        }

        var entry = Entry(at.Record, 0, at.Record.NextStep, ended, moment, SagaHistory.Detail(failure));
        return To(at, at.State, SagaStatus.Stuck, at.Record.NextStep, failure, at.StartedSteps, [entry], Join(changes, closing), moment);
    }

    private SagaMove<TState> To(
        in SagaPosition<TState> at, TState state, SagaStatus status, int step, SagaFailure? failure, int startedSteps,
        SagaLogEntry[] entries, IChangeSet? changes, Moment moment)
    {
        var record = at.Record with
        {
            State = Json(at, state),
            Status = status,
            NextStep = step,
            Attempt = 0,
            WakeAt = null,
            Failure = failure,
            LogLength = at.Record.LogLength + entries.Length,
            LeaseUntil = moment.LeaseUntil,
            UpdatedAt = moment.Now,
        };
        return new SagaMove<TState>(
            new SagaPosition<TState>(record, state, startedSteps, moment.Now), new SagaAppend(record, entries, changes));
    }

    private string Json(in SagaPosition<TState> at, TState state) => ReferenceEquals(state, at.State) ? at.Record.State : plan.Write(state);

    private SagaLogEntry Entry(SagaRecord record, int offset, int step, SagaEvent what, Moment moment, string? detail) =>
        new(record.LogLength + offset, plan.NameOf(step), what, moment.Now, detail);

    private static IChangeSet? Join(IChangeSet? first, IChangeSet? then) =>
        first is null ? then : then is null ? first : first.And(then);
}

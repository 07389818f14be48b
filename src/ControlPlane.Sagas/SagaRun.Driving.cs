using System.Text.Json;

namespace ControlPlane.Sagas;

/// <summary>Calls the steps of one saga, and commits what they answer.</summary>
/// <param name="position">Null when only the row is known: the log is read first.</param>
/// <param name="log">As committed so far; with <paramref name="position"/>.</param>
internal sealed class SagaRun<TState>(
    SagaRuntime runtime, SagaDefinition<TState> plan, SagaRecord record, SagaPosition<TState>? position, IReadOnlyList<SagaLogEntry> log)
    : SagaRun(runtime, record) where TState : class
{
    // A short wait that changes nothing is not worth a commit: whoever took the saga over would call the step again anyway.
    private static readonly TimeSpan UnrecordedWaitMax = TimeSpan.FromSeconds(5);

    private readonly RetryPolicy storeRetries = new(int.MaxValue, TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(5));
    private SagaRecord record = record;
    private SagaPosition<TState>? position = position;
    private readonly List<SagaLogEntry> log = [.. log];
    private bool rowIsFresh = true;
    private bool wasRefused;
    private int storeFailures;
    private int appendFailures;
    private string? appendFault;

    public override SagaRecord Record => record;

    public override RestedSaga Rested => new(record, log.Count == record.LogLength ? log : null);

    protected override bool CanTurnRound => plan.CanTurnRound(record);

    public override async Task<DriveEnd> DriveAsync()
    {
        BeginDriving();
        while (!Runtime.IsStopping)
        {
            try
            {
                var end = position is { } at ? await AdvanceAsync(at) : await ReadAsync();
                if (end is not null)
                    return end.Value;
            }
            catch (OperationCanceledException) when (Runtime.Abandoned.IsCancellationRequested)
            {
                return DriveEnd.Stopped;
            }
            catch (Exception fault)
            {
                // The store did not answer, and the commit may or may not have got through: the row knows.
                Runtime.Log.StoreFailed(fault, plan.Kind, Id);
                position = null;
                rowIsFresh = false;
                if (TryPark(storeRetries.Delay(++storeFailures, Id), forWake: false, forCancel: false))
                    return DriveEnd.Parked;
            }
        }

        return DriveEnd.Stopped;
    }

    /// <summary>One call and its commit; null to go on.</summary>
    private async Task<DriveEnd?> AdvanceAsync(SagaPosition<TState> at)
    {
        var now = Runtime.Clock.GetUtcNow();
        if (ReasonToTurn(at, now) is { } reason)
            return await CommitAsync(at, plan.Moves.TurnRound(at, reason, Runtime.Moment()));

        // A wake-up is for a step that waits; one that backs off after a fault would only use up its tries.
        var waits = at.Record.Attempt == 0;
        if (at.Record.WakeAt > now && TryPark(at.Record.WakeAt.Value - now, forWake: waits, forCancel: plan.CanTurnRound(at.Record)))
            return DriveEnd.Parked;
        if (ReasonToTurn(at, now) is not null)
            return null;

        TakeWakeUp();
        var gaveUp = appendFailures >= plan.RetryPolicy.TriesMax;
        var outcome = gaveUp
            ? StepOutcome<TState>.Fail(new SagaFailure(SagaFailure.Unexpected, $"The step's end cannot be committed: {appendFault}"))
            : await CallAsync(at);
        var moment = Runtime.Moment();
        var move = Decide(at, outcome, moment);
        if (gaveUp)
            move = plan.Moves.WithoutChanges(move);
        if (!IsWorthACommit(at, outcome, move, moment))
        {
            Reach(move.Next);
            return null;
        }

        return await CommitAsync(at, move, outcome);
    }

    private async Task<StepOutcome<TState>> CallAsync(SagaPosition<TState> at)
    {
        var step = plan[at.Record.NextStep];
        var action = at.IsUnwinding ? step.Undo! : step.Do;
        var context = new StepContext(at.Record, step.Name, at.StepStartedAt, Runtime.Clock, this);
        try
        {
            var outcome = Runtime.Interceptor is { } interceptor
                ? await interceptor.CallAsync(
                    new StepCall(Id, plan.Kind, step.Name, at.IsUnwinding, context.Attempt), () => action(at.State, context, Runtime.Abandoned))
                : await action(at.State, context, Runtime.Abandoned);
            if (outcome is null or { Kind: StepOutcomeKind.Done or StepOutcomeKind.Wait, State: null })
                throw new InvalidOperationException($"'{step.Name}' answered nothing.");
            if (outcome.Kind is StepOutcomeKind.Retry or StepOutcomeKind.Fail or StepOutcomeKind.TooLate)
                Runtime.Log.StepGaveUp(plan.Kind, Id, step.Name, at.IsUnwinding, context.Attempt, outcome.Failure!.Code, outcome.Failure.Message);
            return outcome;
        }
        catch (Exception bug) when (!(bug is OperationCanceledException && Runtime.Abandoned.IsCancellationRequested))
        {
            // A step must never take its saga down: whatever it throws is tried again, a bounded number of times.
            Runtime.Log.StepThrew(bug, plan.Kind, Id, step.Name, at.IsUnwinding, context.Attempt);
            return StepOutcome<TState>.Retry(new SagaFailure(SagaFailure.Unexpected, bug.Message));
        }
    }

    private SagaMove<TState> Decide(in SagaPosition<TState> at, StepOutcome<TState> outcome, Moment moment)
    {
        var turn = ReasonToTurn(at, moment.Now);
        try
        {
            return plan.Moves.After(at, outcome, turn, moment);
        }
        catch (Exception bug)
        {
            // A closing hook threw, or the state cannot be written: as if the step had thrown.
            Runtime.Log.StepThrew(bug, plan.Kind, Id, plan.NameOf(at.Record.NextStep), at.IsUnwinding, at.Record.Attempt + 1);
            var failure = new SagaFailure(SagaFailure.Unexpected, bug.Message);
            return plan.Moves.After(at, StepOutcome<TState>.Retry(failure), turn, moment);
        }
    }

    private async Task<DriveEnd?> CommitAsync(SagaPosition<TState> at, SagaMove<TState> move, StepOutcome<TState>? outcome = null)
    {
        while (true)
        {
            move = WithCancelFlag(move);
            var result = await AppendAsync(move.Append);
            switch (result.Result)
            {
                case AppendResult.Committed:
                    wasRefused = false;
                    log.AddRange(move.Append.Entries);
                    Reach(move.Next);
                    return record.IsAtRest ? DriveEnd.AtRest : null;
                case AppendResult.LeaseLost when wasRefused:
                    return DriveEnd.Lost;
                case AppendResult.LeaseLost:
                    // Touches nothing, but looks: a commit that seemed to have failed may have come through late, and a lapsed lease may
                    // have been taken again by this very server.
                    (position, rowIsFresh, wasRefused) = (null, false, true);
                    return null;
                default:
                    var refusal = result.Refusal ?? new SagaFailure(SagaFailure.Unexpected, "The store refused the changes.");
                    if (move.Append.Changes is null)
                        throw new InvalidOperationException($"The store refused a commit that changes nothing: {refusal.Message}");
                    Runtime.Log.ChangesRefused(plan.Kind, Id, plan.NameOf(at.Record.NextStep), refusal.Code, refusal.Message);
                    (move, outcome) = Refused(at, move, outcome, refusal);
                    break;
            }
        }
    }

    /// <summary>
    /// Counts the commits that the store throws at although it can be read in between: changes that can never be committed must not
    /// repeat their step for ever.
    /// </summary>
    private async Task<AppendOutcome> AppendAsync(SagaAppend append)
    {
        try
        {
            var result = await Runtime.Store.AppendAsync(append, Runtime.Abandoned);
            (storeFailures, appendFailures) = (0, 0);
            return result;
        }
        catch (Exception fault)
        {
            appendFailures++;
            appendFault = fault.Message;
            throw;
        }
    }

    /// <summary>What follows a refusal has fewer changes than what was refused, so this ends.</summary>
    private (SagaMove<TState> Move, StepOutcome<TState>? Outcome) Refused(
        in SagaPosition<TState> at, SagaMove<TState> move, StepOutcome<TState>? outcome, SagaFailure refusal)
    {
        if (move.Append.Record.Status == SagaStatus.Stuck)
            return (plan.Moves.WithoutChanges(move), null);
        var retries = at.IsUnwinding || plan[at.Record.NextStep].Refused == RefusedChanges.Retry;
        var next = outcome?.Kind == StepOutcomeKind.Fail ? StepOutcome<TState>.Fail(outcome.Failure!)
            : retries ? StepOutcome<TState>.Retry(refusal)
            : StepOutcome<TState>.Fail(refusal);
        return (Decide(at, next, Runtime.Moment()), next);
    }

    /// <summary>The row, when the one in memory may be stale, and the log; null to go on from there.</summary>
    private async Task<DriveEnd?> ReadAsync()
    {
        if (!rowIsFresh)
        {
            var row = await Runtime.Store.FindAsync(Id, Runtime.Abandoned);
            if (row is null || (!row.IsAtRest && row.Owner != Runtime.Options.Owner))
                return DriveEnd.Lost;
            (record, rowIsFresh) = (row, true);
            if (row.CancelRequested)
                RaiseCancel();
        }

        if (record.IsAtRest)
            return DriveEnd.AtRest;
        log.Clear();
        log.AddRange(await Runtime.Store.LogAsync(Id, Runtime.Abandoned));
        try
        {
            position = SagaHistory.Position(plan, record, log);
            return null;
        }
        catch (JsonException misfit)
        {
            var failure = new SagaFailure(SagaFailure.Unreadable, misfit.Message);
            var append = SagaHistory.Unreadable(record, log, failure, Runtime.Moment());
            record = append.Record;
            var result = await Runtime.Store.AppendAsync(append, Runtime.Abandoned);
            return result.Result == AppendResult.Committed ? DriveEnd.AtRest : DriveEnd.Lost;
        }
    }

    private SagaFailure? ReasonToTurn(in SagaPosition<TState> at, DateTimeOffset now)
    {
        if (!plan.CanTurnRound(at.Record))
            return null;
        if (CancelRequested)
            return new SagaFailure(SagaFailure.Cancelled, $"Cancelled in '{plan.NameOf(at.Record.NextStep)}'.");
        return plan.Moves.Deadline(at) <= now
            ? new SagaFailure(SagaFailure.TimedOut, $"The time allowed was over in '{plan.NameOf(at.Record.NextStep)}'.")
            : null;
    }

    private static bool IsWorthACommit(in SagaPosition<TState> at, StepOutcome<TState> outcome, SagaMove<TState> move, Moment moment) =>
        outcome.Kind != StepOutcomeKind.Wait
        || outcome.Changes is not null
        || at.Record.Attempt != move.Next.Record.Attempt
        || move.Next.Record.WakeAt - moment.Now > UnrecordedWaitMax
        || !at.State.Equals(move.Next.State);

    private SagaMove<TState> WithCancelFlag(SagaMove<TState> move)
    {
        if (move.Append.Record.CancelRequested == CancelRequested)
            return move;
        var stamped = move.Append.Record with { CancelRequested = CancelRequested };
        return new SagaMove<TState>(move.Next with { Record = stamped }, move.Append with { Record = stamped });
    }

    private void Reach(SagaPosition<TState> next)
    {
        position = next;
        record = next.Record;
    }
}

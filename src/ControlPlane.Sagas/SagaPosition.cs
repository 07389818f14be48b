namespace ControlPlane.Sagas;

/// <summary>Where a saga is, in memory: its row as last committed, and what the row does not say.</summary>
/// <param name="StartedSteps">One bit for each step that was started and is not undone.</param>
/// <param name="StepStartedAt">When the present step, or its undo, was first started.</param>
internal readonly record struct SagaPosition<TState>(SagaRecord Record, TState State, int StartedSteps, DateTimeOffset StepStartedAt)
    where TState : class
{
    public bool IsUnwinding => Record.Status == SagaStatus.Unwinding;
}

/// <summary>What can be read from a saga's log after a crash.</summary>
internal static class SagaHistory
{
    /// <exception cref="System.Text.Json.JsonException">The row or its log do not fit the plan.</exception>
    public static SagaPosition<TState> Position<TState>(
        SagaDefinition<TState> definition, SagaRecord record, IReadOnlyList<SagaLogEntry> log) where TState : class
    {
        var started = 0;
        var startedAt = record.CreatedAt;
        var begins = record.Status == SagaStatus.Unwinding ? SagaEvent.UndoStarted : SagaEvent.Started;
        foreach (var entry in log)
        {
            var step = definition.IndexOf(entry.Step);
            if (step < 0)
                throw new System.Text.Json.JsonException($"The log names a step '{entry.Step}' that the plan does not have.");
            if (entry.Event == SagaEvent.Started)
                started |= 1 << step;
            else if (entry.Event == SagaEvent.UndoFinished)
                started &= ~(1 << step);
            if (step == record.NextStep && entry.Event == begins)
                startedAt = entry.At;
        }

        if (record.NextStep < 0 || record.NextStep >= definition.Count)
            throw new System.Text.Json.JsonException($"The row is at step {record.NextStep} of {definition.Count}.");
        return new SagaPosition<TState>(record, definition.Read(record.State), started, startedAt);
    }

    /// <summary>The failure that turned the saga round; null when it never turned, or was too late to and goes forward since.</summary>
    public static SagaFailure? ReasonForUnwinding(IReadOnlyList<SagaLogEntry> log)
    {
        SagaFailure? reason = null;
        foreach (var entry in log)
        {
            if (entry.Event == SagaEvent.UndoStarted)
                reason ??= Parse(entry.Detail ?? "");
            else if (entry.Event == SagaEvent.Started)
                reason = null;
        }

        return reason;
    }

    /// <summary>Puts a saga that cannot be run here to rest, where an operator sees why.</summary>
    public static SagaAppend Unreadable(SagaRecord record, IReadOnlyList<SagaLogEntry> log, SagaFailure failure, Moment moment)
    {
        var ended = record.Status == SagaStatus.Unwinding ? SagaEvent.UndoFailed : SagaEvent.Failed;
        var step = log.Count == 0 ? "read-log" : log[^1].Step;
        var entry = new SagaLogEntry(record.LogLength, step, ended, moment.Now, Detail(failure));
        var stuck = record with
        {
            Status = SagaStatus.Stuck, Failure = failure, WakeAt = null, LogLength = record.LogLength + 1,
            LeaseUntil = moment.LeaseUntil, UpdatedAt = moment.Now,
        };
        return new SagaAppend(stuck, [entry], Changes: null);
    }

    /// <summary>A failure as an entry's detail; <see cref="ReasonForUnwinding"/> reads it back.</summary>
    public static string Detail(SagaFailure failure) => $"{failure.Code}: {failure.Message}";

    private static SagaFailure Parse(string detail)
    {
        var colon = detail.IndexOf(": ", StringComparison.Ordinal);
        return colon < 0 ? new SagaFailure(SagaFailure.Unexpected, detail) : new SagaFailure(detail[..colon], detail[(colon + 2)..]);
    }
}

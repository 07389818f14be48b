using ControlPlane.Sagas;

namespace ControlPlane.Testing.SagaLaws;

internal enum StepFaultKind
{
    /// <summary>The action is done twice; only what the second answers counts.</summary>
    Repeat,

    /// <summary>A permanent failure in place of the action.</summary>
    FailBefore,

    /// <summary>A permanent failure in place of the answer of an action that was done.</summary>
    FailAfter,

    /// <summary>As above, but worth another try.</summary>
    RetryBefore,
    RetryAfter,

    /// <summary>Somebody cancels when the step is called, or when it has answered.</summary>
    CancelBefore,
    CancelAfter,
}

/// <param name="CallsMax">How often it happens.</param>
internal sealed record StepFault(string Step, bool IsUndo, StepFaultKind Kind, int CallsMax = 1);

/// <summary>Makes steps repeat and fail as a law asks.</summary>
internal sealed class StepFaults(params StepFault[] faults) : IStepInterceptor
{
    public static readonly SagaFailure Injected = new("injected-fault", "The law test made this step fail.");

    private readonly int[] happened = new int[faults.Length];

    public Func<Guid, Task> CancelAsync { get; set; } = static _ => Task.CompletedTask;

    /// <summary>From now on everything works.</summary>
    public bool IsHealed { get; set; }

    /// <summary>The steps whose function was called, in order.</summary>
    public List<StepCall> Calls { get; } = [];

    public bool HasHappened(int fault) => happened[fault] > 0;

    public async Task<StepOutcome<TState>> CallAsync<TState>(StepCall call, Func<Task<StepOutcome<TState>>> action) where TState : class
    {
        lock (Calls)
            Calls.Add(call);
        if (Take(call, StepFaultKind.FailBefore))
            return StepOutcome<TState>.Fail(Injected);
        if (Take(call, StepFaultKind.RetryBefore))
            return StepOutcome<TState>.Retry(Injected);
        if (Take(call, StepFaultKind.CancelBefore))
            await CancelAsync(call.SagaId);
        if (Take(call, StepFaultKind.Repeat))
            await action();

        var outcome = await action();
        if (Take(call, StepFaultKind.CancelAfter))
            await CancelAsync(call.SagaId);
        if (outcome.Kind != StepOutcomeKind.Done)
            return outcome;
        if (Take(call, StepFaultKind.FailAfter))
            return StepOutcome<TState>.Fail(Injected);
        return Take(call, StepFaultKind.RetryAfter) ? StepOutcome<TState>.Retry(Injected) : outcome;
    }

    private bool Take(StepCall call, StepFaultKind kind)
    {
        var i = Array.FindIndex(faults, f => f.Kind == kind && f.Step == call.Step && f.IsUndo == call.IsUndo);
        return !IsHealed && i >= 0 && Interlocked.Increment(ref happened[i]) <= faults[i].CallsMax;
    }
}

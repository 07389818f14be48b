using Microsoft.Extensions.Logging;

namespace ControlPlane.Sagas;

/// <summary>What all runs of one runner share.</summary>
internal sealed class SagaRuntime : IDisposable
{
    private readonly CancellationTokenSource abandon;
    private volatile bool isStopping;

    public SagaRuntime(ISagaStore store, TimeProvider clock, SagaRunnerOptions options, ILogger log, IStepInterceptor? interceptor)
    {
        (Store, Clock, Options, Log, Interceptor) = (store, clock, options, log, interceptor);
        Queue = new RunQueue(options.ParallelismMax);
        abandon = new CancellationTokenSource();
        Abandoned = abandon.Token;
    }

    public ISagaStore Store { get; }

    public TimeProvider Clock { get; }

    public SagaRunnerOptions Options { get; }

    public ILogger Log { get; }

    public IStepInterceptor? Interceptor { get; }

    public RunQueue Queue { get; }

    /// <summary>No run goes past its next commit.</summary>
    public bool IsStopping
    {
        get => isStopping;
        set => isStopping = value;
    }

    /// <summary>Steps and commits under way are given up.</summary>
    public CancellationToken Abandoned { get; }

    public Moment Moment()
    {
        var now = Clock.GetUtcNow();
        return new Moment(now, now + Options.LeaseDuration);
    }

    public void Abandon() => abandon.Cancel();

    public void Dispose() => abandon.Dispose();
}

/// <summary>Stands between the engine and each step's function, so that the law tests can repeat steps and make them fail.</summary>
internal interface IStepInterceptor
{
    Task<StepOutcome<TState>> CallAsync<TState>(StepCall call, Func<Task<StepOutcome<TState>>> action) where TState : class;
}

/// <summary>One call of a step's function, or of its undo's.</summary>
internal readonly record struct StepCall(Guid SagaId, string Kind, string Step, bool IsUndo, int Attempt);

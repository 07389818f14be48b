using Microsoft.Extensions.Logging;

namespace ControlPlane.Sagas;

/// <summary>What all runs of one runner share.</summary>
internal sealed class SagaRuntime(ISagaStore store, TimeProvider clock, SagaRunnerOptions options, ILogger log, IStepInterceptor? interceptor)
    : IDisposable
{
    private readonly CancellationTokenSource abandon = new();
    private volatile bool isStopping;

    public ISagaStore Store => store;

    public TimeProvider Clock => clock;

    public SagaRunnerOptions Options => options;

    public ILogger Log => log;

    public IStepInterceptor? Interceptor => interceptor;

    public RunQueue Queue { get; } = new(options.ParallelismMax);

    /// <summary>No run goes past its next commit.</summary>
    public bool IsStopping
    {
        get => isStopping;
        set => isStopping = value;
    }

    /// <summary>Steps and commits under way are given up.</summary>
    public CancellationToken Abandoned => abandon.Token;

    public Moment Moment()
    {
        var now = clock.GetUtcNow();
        return new Moment(now, now + options.LeaseDuration);
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

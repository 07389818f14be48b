using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace ControlPlane.Sagas;

/// <summary>A saga of any state, as the registry holds it.</summary>
public abstract class Saga
{
    private protected Saga()
    {
    }

    /// <summary>Names the plan in stored rows, for instance <c>vm.create</c>.</summary>
    public abstract string Kind { get; }

    /// <summary>
    /// A running saga finishes on the version it began with: a change of plan or state that old rows cannot follow is a new version,
    /// registered beside the old one until no old row runs any more.
    /// </summary>
    public virtual int Version => 1;

    internal abstract SagaDefinition Compile();
}

/// <summary>
/// Long work as an explicit list of steps. A saga's file reads: what it does to the guest, the state, <see cref="Define"/>, then the
/// step functions in that order. One instance serves all running sagas of its kind: it holds no state of its own.
/// </summary>
/// <typeparam name="TState">An immutable record of all that the steps need to know; stored as JSON with every log entry.</typeparam>
public abstract class Saga<TState> : Saga where TState : class
{
    private static readonly JsonSerializerOptions StateOptions = new(JsonSerializerDefaults.Web)
    {
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>How the state is written; a saga of a hot path gives its source-generated contract instead.</summary>
    protected internal virtual JsonTypeInfo<TState> StateJson => (JsonTypeInfo<TState>)StateOptions.GetTypeInfo(typeof(TState));

    protected internal abstract void Define(SagaPlan<TState> plan);

    /// <summary>Changes that become true together with the saga's end, such as the operation's.</summary>
    protected internal virtual IChangeSet? OnDone(TState state, SagaEnd end) => null;

    /// <summary>Every started step has been undone; <paramref name="failure"/> says why the saga turned round.</summary>
    protected internal virtual IChangeSet? OnUndone(TState state, SagaFailure failure, SagaEnd end) => null;

    /// <summary>The saga rests neither done nor undone, until an operator resumes it.</summary>
    protected internal virtual IChangeSet? OnStuck(TState state, SagaFailure failure, SagaEnd end) => null;

    internal sealed override SagaDefinition Compile() => new SagaDefinition<TState>(this);

    /// <inheritdoc cref="StepOutcome{TState}.Done"/>
    protected static StepOutcome<TState> Done(TState state, IChangeSet? changes = null) => StepOutcome<TState>.Done(state, changes);

    /// <inheritdoc cref="StepOutcome{TState}.WaitUntil"/>
    protected static StepOutcome<TState> WaitUntil(TState state, DateTimeOffset wakeAt, IChangeSet? changes = null) =>
        StepOutcome<TState>.WaitUntil(state, wakeAt, changes);

    /// <inheritdoc cref="StepOutcome{TState}.WaitFor"/>
    protected static StepOutcome<TState> WaitFor(TState state, TimeSpan time, IChangeSet? changes = null) =>
        StepOutcome<TState>.WaitFor(state, time, changes);

    /// <inheritdoc cref="StepOutcome{TState}.Retry(SagaFailure)"/>
    protected static StepOutcome<TState> Retry(SagaFailure reason) => StepOutcome<TState>.Retry(reason);

    /// <inheritdoc cref="StepOutcome{TState}.Retry(string)"/>
    protected static StepOutcome<TState> Retry(string reason) => StepOutcome<TState>.Retry(reason);

    /// <inheritdoc cref="StepOutcome{TState}.Fail"/>
    protected static StepOutcome<TState> Fail(SagaFailure failure, IChangeSet? changes = null) => StepOutcome<TState>.Fail(failure, changes);
}

/// <summary>Which saga came to rest, and when, for the closing hooks.</summary>
public readonly record struct SagaEnd(Guid SagaId, DateTimeOffset At);

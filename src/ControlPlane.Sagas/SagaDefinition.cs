using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace ControlPlane.Sagas;

/// <summary>A saga with its plan drawn up and checked.</summary>
internal abstract class SagaDefinition
{
    public abstract string Kind { get; }

    public abstract int Version { get; }

    public abstract SagaDescription Description { get; }

    public abstract SagaRun Start(SagaRuntime runtime, SagaStart start);

    /// <summary>A saga that is known by its row only; the rest is read when it is driven.</summary>
    public abstract SagaRun Recover(SagaRuntime runtime, SagaRecord record);

    /// <summary>The commit that puts a stuck saga back onto its way.</summary>
    public abstract SagaAppend Resumption(SagaRecord stuck, IReadOnlyList<SagaLogEntry> log, Moment moment, IChangeSet? changes);

    /// <summary>Whether a cancel can still turn the saga round.</summary>
    public abstract bool CanTurnRound(SagaRecord record);
}

internal sealed class SagaDefinition<TState> : SagaDefinition where TState : class
{
    private readonly PlannedStep<TState>[] steps;
    private readonly JsonTypeInfo<TState> json;

    public SagaDefinition(Saga<TState> saga)
    {
        var plan = new SagaPlan<TState>();
        saga.Define(plan);
        plan.RequireComplete(saga.Kind);
        Saga = saga;
        Kind = saga.Kind;
        Version = saga.Version;
        steps = [.. plan.Steps];
        PointOfNoReturn = plan.PointOfNoReturnIndex;
        RetryPolicy = plan.RetryPolicy;
        TimeAllowed = plan.TimeAllowed;
        json = saga.StateJson;
        Description = new SagaDescription(
            Kind, Version, [.. steps.Select(s => new SagaStepDescription(s.Name, s.Undo is not null, s.When is not null))]);
        Moves = new SagaMoves<TState>(this);
    }

    public Saga<TState> Saga { get; }

    public override string Kind { get; }

    public override int Version { get; }

    public override SagaDescription Description { get; }

    public int Count => steps.Length;

    public int PointOfNoReturn { get; }

    public RetryPolicy RetryPolicy { get; }

    public Func<TState, TimeSpan?> TimeAllowed { get; }

    public SagaMoves<TState> Moves { get; }

    public PlannedStep<TState> this[int step] => steps[step];

    public string NameOf(int step) => steps[step].Name;

    /// <summary>-1 when there is none of that name.</summary>
    public int IndexOf(string name) => Array.FindIndex(steps, s => s.Name == name);

    /// <summary>The first step from this one on that is not left out; <see cref="Count"/> when none is.</summary>
    public int NextFrom(int step, TState state)
    {
        while (step < steps.Length && steps[step].When?.Invoke(state) == false)
            step++;
        return step;
    }

    public string Write(TState state) => JsonSerializer.Serialize(state, json);

    /// <exception cref="JsonException">The stored state does not fit this plan's.</exception>
    public TState Read(string state) => JsonSerializer.Deserialize(state, json) ?? throw new JsonException("The state is null.");

    public override SagaRun Start(SagaRuntime runtime, SagaStart start)
    {
        var state = start.State as TState ?? Read(start.Record.State);
        var position = new SagaPosition<TState>(start.Record, state, 1 << start.Record.NextStep, start.FirstEntry.At);
        return new SagaRun<TState>(runtime, this, start.Record, position, [start.FirstEntry]);
    }

    public override SagaRun Recover(SagaRuntime runtime, SagaRecord record) => new SagaRun<TState>(runtime, this, record, position: null, []);

    public override SagaAppend Resumption(SagaRecord stuck, IReadOnlyList<SagaLogEntry> log, Moment moment, IChangeSet? changes)
    {
        var failure = SagaHistory.ReasonForUnwinding(log);
        var entry = new SagaLogEntry(
            stuck.LogLength, NameOf(stuck.NextStep), failure is null ? SagaEvent.Started : SagaEvent.UndoStarted, moment.Now, "resumed");
        var record = stuck with
        {
            Status = failure is null ? SagaStatus.Running : SagaStatus.Unwinding,
            Failure = failure,
            Attempt = 0,
            WakeAt = null,
            LogLength = stuck.LogLength + 1,
            LeaseUntil = moment.LeaseUntil,
            UpdatedAt = moment.Now,
        };
        return new SagaAppend(record, [entry], changes);
    }

    public override bool CanTurnRound(SagaRecord record) => record.Status == SagaStatus.Running && record.NextStep < PointOfNoReturn;
}

/// <summary>When a commit is made, and how far it renews the lease.</summary>
internal readonly record struct Moment(DateTimeOffset Now, DateTimeOffset LeaseUntil);

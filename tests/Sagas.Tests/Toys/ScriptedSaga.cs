using ControlPlane.Sagas;

namespace ControlPlane.Sagas.Tests.Toys;

/// <summary>What the steps of a scripted saga keep: how often they were called, as the state remembers it.</summary>
internal sealed record Tally(int Count = 0, string Note = "");

/// <summary>A saga whose plan and hooks a test writes where it needs them.</summary>
internal sealed class ScriptedSaga(Action<SagaPlan<Tally>> define, string kind = "test.script", int version = 1) : Saga<Tally>
{
    public override string Kind => kind;

    public override int Version => version;

    public Func<Tally, IChangeSet?> WhenDone { get; init; } = static _ => null;

    public Func<Tally, SagaFailure, IChangeSet?> WhenUndone { get; init; } = static (_, _) => null;

    public Func<Tally, SagaFailure, IChangeSet?> WhenStuck { get; init; } = static (_, _) => null;

    protected internal override void Define(SagaPlan<Tally> plan) => define(plan);

    protected internal override IChangeSet? OnDone(Tally state, SagaEnd end) => WhenDone(state);

    protected internal override IChangeSet? OnUndone(Tally state, SagaFailure failure, SagaEnd end) => WhenUndone(state, failure);

    protected internal override IChangeSet? OnStuck(Tally state, SagaFailure failure, SagaEnd end) => WhenStuck(state, failure);
}

/// <summary>Step functions for scripted sagas.</summary>
internal static class Act
{
    public static readonly StepAction<Tally> Succeed = (s, _, _) => Task.FromResult(StepOutcome<Tally>.Done(s with { Count = s.Count + 1 }));

    public static readonly StepAction<Tally> Keep = (s, _, _) => Task.FromResult(StepOutcome<Tally>.Done(s));

    public static readonly SagaFailure Broken = new("broken", "It is broken.");

    public static StepAction<Tally> Fail => (_, _, _) => Task.FromResult(StepOutcome<Tally>.Fail(Broken));

    public static StepAction<Tally> Retry => (_, _, _) => Task.FromResult(StepOutcome<Tally>.Retry("Not yet."));

    public static StepAction<Tally> Change(IChangeSet changes) => (s, _, _) => Task.FromResult(StepOutcome<Tally>.Done(s, changes));

    /// <summary>Waits in its first call, and is done in its second.</summary>
    public static StepAction<Tally> WaitOnce(TimeSpan time) => (s, _, _) =>
        Task.FromResult(s.Note == "waited" ? StepOutcome<Tally>.Done(s) : StepOutcome<Tally>.WaitFor(s with { Note = "waited" }, time));
}

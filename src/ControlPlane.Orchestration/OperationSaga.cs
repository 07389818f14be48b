using System.Text.Json.Serialization.Metadata;
using ControlPlane.Domain;
using ControlPlane.Domain.Operations;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration;

/// <summary>
/// A saga that carries out an operation: the operation ends in the commit in which the saga comes to rest, so no caller ever sees the
/// one without the other.
/// </summary>
internal abstract class OperationSaga<TState>(OperationRecords operations) : Saga<TState> where TState : class
{
    protected override JsonTypeInfo<TState> StateJson => (JsonTypeInfo<TState>)StoredJson.Options.GetTypeInfo(typeof(TState));

    protected sealed override IChangeSet OnDone(TState state, SagaEnd end)
    {
        var unit = new WriteUnit();
        Succeeded(unit, state, end);
        var trouble = Verdict(state);
        operations.End(unit, new OperationId(end.SagaId), trouble is null ? OperationState.Succeeded : OperationState.Failed, ProjectOf(state), trouble, end.At);
        return unit;
    }

    protected sealed override IChangeSet OnUndone(TState state, SagaFailure failure, SagaEnd end)
    {
        var unit = new WriteUnit();
        Undone(unit, state, failure, end);
        var ended = failure.Code == SagaFailure.Cancelled ? OperationState.Cancelled : OperationState.Failed;
        operations.End(unit, new OperationId(end.SagaId), ended, ProjectOf(state), failure, end.At);
        return unit;
    }

    protected sealed override IChangeSet OnStuck(TState state, SagaFailure failure, SagaEnd end)
    {
        var unit = new WriteUnit();
        Stuck(unit, state, failure, end);
        operations.End(unit, new OperationId(end.SagaId), OperationState.Stuck, ProjectOf(state), failure, end.At);
        return unit;
    }

    /// <summary>Whose members are told of the operation's end; null: it belongs to the installation.</summary>
    protected virtual ProjectId? ProjectOf(TState state) => null;

    /// <summary>What becomes true of the saga's subject when every step has succeeded.</summary>
    protected abstract void Succeeded(WriteUnit unit, TState state, SagaEnd end);

    /// <summary>What becomes true when every started step has been undone.</summary>
    protected abstract void Undone(WriteUnit unit, TState state, SagaFailure failure, SagaEnd end);

    /// <summary>The subject stays in the operation's hands until an operator resumes it.</summary>
    protected virtual void Stuck(WriteUnit unit, TState state, SagaFailure failure, SagaEnd end)
    {
    }

    /// <summary>What the operation reports although every step succeeded; null: success.</summary>
    protected virtual SagaFailure? Verdict(TState state) => null;

    /// <summary>For a step whose work leaves nothing behind that an undo could take back.</summary>
    protected static Task<StepOutcome<TState>> NothingToUndo(TState state, StepContext context, CancellationToken ct) =>
        Task.FromResult(Done(state));
}

using ControlPlane.Domain;
using ControlPlane.Domain.Operations;
using ControlPlane.Persistence.Sagas;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration;

/// <summary>Hands a saga whose row is committed to whoever drives it: the runner.</summary>
public delegate void RunSaga(SagaStart start);

/// <summary>
/// Starts long work: the operation, its saga and the change of the subject are one commit; after it the saga runs here, and should this
/// server die in between, another takes it over.
/// </summary>
public sealed class OperationStarter(
    Lazy<SagaFactory> sagas, RunSaga run, PostgresSagaStore inserts, OperationRecords operations, BatchingWriter writer, IIdSource ids, TimeProvider clock)
{
    public OperationId NextId() => new(ids.Next());

    public DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>Commits the unit with a new operation in it, and sets its saga running.</summary>
    /// <param name="context">The rows that must commit with the caller's request; null when no request is behind it.</param>
    public async Task<Outcome<Operation>> StartAsync<TState>(
        WriteUnit unit, OperationId id, string kind, OperationTarget target, ProjectId? project, TState state, MutationContext? context,
        CancellationToken ct) where TState : class
    {
        var operation = new Operation(id, kind, OperationState.Running, target, project, null, null, Now, null);
        var start = sagas.Value.Create(kind, id.Value, state);
        operations.Accept(unit, operation);
        inserts.Insert(unit, start.Record, [start.FirstEntry]);
        context?.Attach(unit, operation);
        var committed = await writer.CommitAsync(unit, ct);
        if (committed.Fault is { } fault)
            return fault;
        run(start);
        return operation;
    }
}

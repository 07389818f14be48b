using ControlPlane.Domain;
using ControlPlane.Domain.Operations;
using ControlPlane.Persistence.Operations;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration;

/// <summary>Writes operations: accepted in the commit that starts their saga, ended in the commit that ends it.</summary>
public sealed class OperationRecords(OperationStore operations, OperationEnds ends, Announcements announcements)
{
    public void Accept(WriteUnit unit, Operation operation)
    {
        operations.Insert(unit, operation);
        announcements.OperationChanged(unit, operation.Id, operation.Kind, operation.State, operation.Project, operation.CreatedAt);
    }

    /// <param name="failure">Null exactly when it succeeded.</param>
    public void End(WriteUnit unit, OperationId id, OperationState state, ProjectId? project, SagaFailure? failure, DateTimeOffset at)
    {
        operations.End(unit, id, state, failure?.Code, failure?.Message, at);
        unit.OnCommitted(() => ends.Tell(id, new OperationEnd(state, failure?.Code, failure?.Message, at)));
        announcements.OperationChanged(unit, id, null, state, project, at, failure is null ? null : new SagaFailureText(failure.Code, failure.Message));
    }
}

using ControlPlane.Domain;
using ControlPlane.Domain.Operations;

namespace ControlPlane.Persistence.Records;

/// <summary>Where one step of an operation is, as its saga's log tells.</summary>
public enum StepState
{
    Running,
    Done,
    Failed,
    Undoing,
    Undone,
    UndoFailed,
}

/// <summary>One step of an operation that has started at least once; those still to come are known by the saga's plan only.</summary>
/// <param name="EndedAt">When its last event ended it; null while it runs or is being undone.</param>
public sealed record OperationStep(string Name, StepState State, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, string? Detail);

internal sealed record OperationRow(
    OperationId Id, string Kind, OperationState State, string TargetKind, Guid TargetId, ProjectId? ProjectId, string? ErrorCode,
    string? Error, DateTimeOffset CreatedAt, DateTimeOffset? EndedAt)
{
    public Operation ToOperation() =>
        new(Id, Kind, State, new OperationTarget(TargetKind, TargetId), ProjectId, ErrorCode, Error, CreatedAt, EndedAt);

    public static OperationRow From(Operation operation) => new(
        operation.Id, operation.Kind, operation.State, operation.Target.Kind, operation.Target.Id, operation.Project, operation.ErrorCode,
        operation.Error, operation.CreatedAt, operation.EndedAt);
}

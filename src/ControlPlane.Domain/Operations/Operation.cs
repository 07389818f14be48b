namespace ControlPlane.Domain.Operations;

public enum OperationState
{
    Pending,
    Running,
    Succeeded,
    Failed,
    Cancelled,

    /// <summary>Past its point of no return and unable to go on: an operator must act on <see cref="Operation.Error"/>.</summary>
    Stuck,
}

/// <summary>What an operation is about: <c>vm</c>, <c>host</c> or <c>pci-device</c>, and its id.</summary>
public sealed record OperationTarget(string Kind, Guid Id);

/// <summary>
/// Long work that a caller can watch and cancel. The saga of the same id carries it out, and its log is where the steps come from.
/// </summary>
/// <param name="Kind"><c>vm.create</c>, <c>host.drain</c>…</param>
public sealed record Operation(
    OperationId Id, string Kind, OperationState State, OperationTarget Target, ProjectId? Project, string? ErrorCode, string? Error,
    DateTimeOffset CreatedAt, DateTimeOffset? EndedAt)
{
    public bool HasEnded => State is OperationState.Succeeded or OperationState.Failed or OperationState.Cancelled or OperationState.Stuck;
}

using System.Text.Json.Serialization;

namespace ControlPlane.Contracts;

[JsonConverter(typeof(KebabCaseConverter<OperationState>))]
public enum OperationState
{
    Pending,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    Stuck,
}

[JsonConverter(typeof(KebabCaseConverter<StepState>))]
public enum StepState
{
    Pending,
    Running,
    Done,
    Failed,
    Undoing,
    Undone,
    UndoFailed,
}

/// <param name="Kind"><c>vm</c>, <c>host</c> or <c>pci-device</c>.</param>
public sealed record OperationTargetResponse(string Kind, string Id);

/// <param name="Detail">For people; null when there is nothing to say.</param>
public sealed record StepResponse(string Name, StepState State, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt, string? Detail);

public sealed record OperationErrorResponse(string Code, string Message);

/// <summary>Long work that can be watched and cancelled.</summary>
/// <param name="Kind"><c>vm.create</c>, <c>host.drain</c>…</param>
/// <param name="Error">Why it did not succeed; null when it did, or has not ended.</param>
public sealed record OperationResponse(
    string Id, string Kind, OperationState State, OperationTargetResponse Target, string? Project, int ProgressPercent,
    IReadOnlyList<StepResponse> Steps, OperationErrorResponse? Error, DateTimeOffset CreatedAt, DateTimeOffset? EndedAt);

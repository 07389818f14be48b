using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Domain.Operations;
using ControlPlane.Orchestration;
using ControlPlane.Orchestration.Operations;
using ControlPlane.Persistence.Records;
using ControlPlane.Sagas;
using Model = ControlPlane.Domain.Operations;
using Wire = ControlPlane.Contracts;

namespace ControlPlane.Api.Conventions;

/// <summary>
/// Operations on the wire. What has run comes from the saga's log, what is still to come from its plan, so a caller sees the whole way from
/// the first answer on.
/// </summary>
internal sealed class OperationMapping(FleetDirectory fleet, SagaRegistry sagas)
{
    public OperationResponse ToResponse(Operation operation, IReadOnlyList<OperationStep> log)
    {
        var steps = Steps(operation, log);
        return new OperationResponse(
            operation.Id.ToString(), operation.Kind, (Wire.OperationState)operation.State,
            new OperationTargetResponse(operation.Target.Kind, operation.Target.Id.ToString()),
            operation.Project is { } project ? fleet.FindProject(project)?.Name ?? project.ToString() : null,
            Progress(operation, steps), steps,
            operation.ErrorCode is null ? null : new OperationErrorResponse(operation.ErrorCode, operation.Error ?? ""),
            operation.CreatedAt, operation.EndedAt);
    }

    /// <summary>One that was accepted a moment ago: nothing has run yet.</summary>
    public Answer Accepted(Operation operation) => Answer.Accepted(operation, ToResponse(operation, []));

    /// <inheritdoc cref="Accepted(Operation)"/>
    public Answer Accepted(Outcome<Operation> outcome) => outcome.Match(Accepted, fault => fault);

    /// <summary>One that the caller waited for.</summary>
    public Answer Accepted(OperationProgress reached) => Answer.Accepted(reached.Operation, ToResponse(reached.Operation, reached.Steps));

    public IReadOnlyList<StepResponse> Steps(Operation operation, IReadOnlyList<OperationStep> log)
    {
        var planned = sagas.Descriptions.Where(d => d.Kind == operation.Kind).MaxBy(d => d.Version)?.Steps.Select(s => s.Name) ?? [];
        var started = log.ToDictionary(s => s.Name);
        var steps = new List<StepResponse>();
        foreach (var name in planned.Union(log.Select(s => s.Name)))
        {
            if (started.TryGetValue(name, out var step))
                steps.Add(new StepResponse(name, ToWire(step.State), step.StartedAt, step.EndedAt, step.Detail));
            else if (!operation.HasEnded)
                steps.Add(new StepResponse(name, Wire.StepState.Pending, null, null, null));
        }
        return steps;
    }

    private static int Progress(Operation operation, IReadOnlyList<StepResponse> steps)
    {
        if (operation.State == Model.OperationState.Succeeded)
            return 100;
        var done = steps.Count(s => s.State == Wire.StepState.Done);
        return steps.Count == 0 ? 0 : Math.Min(99, done * 100 / steps.Count);
    }

    private static Wire.StepState ToWire(Persistence.Records.StepState state) => state switch
    {
        Persistence.Records.StepState.Running => Wire.StepState.Running,
        Persistence.Records.StepState.Done => Wire.StepState.Done,
        Persistence.Records.StepState.Failed => Wire.StepState.Failed,
        Persistence.Records.StepState.Undoing => Wire.StepState.Undoing,
        Persistence.Records.StepState.Undone => Wire.StepState.Undone,
        _ => Wire.StepState.UndoFailed,
    };
}

using ControlPlane.Persistence.Records;
using ControlPlane.Sagas;

namespace ControlPlane.Persistence.Operations;

/// <summary>Steps out of a saga's log: the last event of a step is its state.</summary>
public static class StepHistory
{
    public static IReadOnlyList<OperationStep> Fold(IEnumerable<SagaLogEntry> log)
    {
        var steps = new List<OperationStep>();
        foreach (var entry in log)
        {
            var index = steps.FindIndex(s => s.Name == entry.Step);
            var state = StateAfter(entry.Event);
            var endedAt = state is StepState.Running or StepState.Undoing ? (DateTimeOffset?)null : entry.At;
            if (index < 0)
                steps.Add(new OperationStep(entry.Step, state, entry.At, endedAt, entry.Detail));
            else
                steps[index] = steps[index] with { State = state, EndedAt = endedAt, Detail = entry.Detail ?? steps[index].Detail };
        }
        return steps;
    }

    private static StepState StateAfter(SagaEvent what) => what switch
    {
        SagaEvent.Started => StepState.Running,
        SagaEvent.Succeeded => StepState.Done,
        SagaEvent.Failed => StepState.Failed,
        SagaEvent.UndoStarted => StepState.Undoing,
        SagaEvent.UndoFinished => StepState.Undone,
        SagaEvent.UndoFailed => StepState.UndoFailed,
        _ => throw new ArgumentOutOfRangeException(nameof(what)),
    };
}

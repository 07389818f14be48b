using ControlPlane.Domain;
using ControlPlane.Domain.Operations;
using ControlPlane.Persistence.Operations;
using ControlPlane.Persistence.Records;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration.Operations;

/// <summary>An operation with the steps that it has taken so far.</summary>
public sealed record OperationProgress(Operation Operation, IReadOnlyList<OperationStep> Steps);

/// <summary>Holds a caller's answer until an operation has ended.</summary>
public sealed class OperationWaiter(OperationStore operations, OperationEnds ends, SagaRunner runner, TimeProvider clock)
{
    /// <summary>The operation, as just read or accepted, as it is when it has ended or the time is over; null when it is gone by then.</summary>
    /// <param name="stopping">The server stops: nobody is held any longer, and who asks again finds another server or the next one.</param>
    /// <remarks>What this server carried out itself it knows: the answer then costs no reading.</remarks>
    public async Task<OperationProgress?> WaitAsync(Operation operation, TimeSpan time, CancellationToken stopping, CancellationToken ct)
    {
        var id = operation.Id;
        if (time <= TimeSpan.Zero)
            return new OperationProgress(operation, await operations.StepsAsync(id, ct));
        using var watch = ends.Watch(id);
        var rested = await RestAsync(id, time, stopping, ct);
        if (rested?.Log is { } log && watch.End is { } end)
            return new OperationProgress(end.ApplyTo(operation), StepHistory.Fold(log));
        return await operations.FindAsync(id, ct) is { } found ? new OperationProgress(found, await operations.StepsAsync(id, ct)) : null;
    }

    private async Task<RestedSaga?> RestAsync(OperationId id, TimeSpan time, CancellationToken stopping, CancellationToken ct)
    {
        using var enough = new CancellationTokenSource(time, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, enough.Token, stopping);
        try
        {
            return await runner.WhenAtRestAsync(id.Value, either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            // The caller's patience is over; the operation goes on.
            return null;
        }
    }
}

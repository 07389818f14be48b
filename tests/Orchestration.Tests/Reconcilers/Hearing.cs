using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Orchestration.Reconcilers;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Writing;

namespace ControlPlane.Orchestration.Tests.Reconcilers;

/// <summary>Processes that hear of each other's commits, as servers on one database do.</summary>
internal static class Hearing
{
    /// <summary>The process hears the other's commits from now on.</summary>
    /// <returns>The listening itself; it ends when it is cancelled.</returns>
    public static async Task<Task> ListenAsync(this ServerProcess process, ServerProcess other, CancellationToken ct)
    {
        process.Get<FleetRefresh>();
        var listening = process.Get<NotificationListener>().RunAsync(ct);
        await process.HearAsync(other);
        return listening;
    }

    /// <summary>The process has heard of all that the other has committed before.</summary>
    public static async Task HearAsync(this ServerProcess process, ServerProcess other)
    {
        var marker = other.Get<IIdSource>().Next();
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Hear(CommitSignal signal)
        {
            if (signal.Ids.Contains(marker))
                heard.TrySetResult();
        }
        process.Get<CommitSignals>().Committed += Hear;
        while (!heard.Task.IsCompleted)
        {
            // Until the listener listens, nobody hears; afterwards notifications come in the order of the commits.
            var unit = new WriteUnit();
            unit.Signal(marker);
            await other.Get<BatchingWriter>().CommitAsync(unit, default);
        }
        process.Get<CommitSignals>().Committed -= Hear;
    }
}

namespace ControlPlane.Api.Events;

/// <summary>Wakes every open stream when events were committed, by this server or, through the database's notification, by another.</summary>
public sealed class EventSignal
{
    private TaskCompletionSource next = New();

    /// <summary>Taken before a read and awaited after an empty one: news that comes in between is not missed.</summary>
    public Task Next => Volatile.Read(ref next).Task;

    public void Announce() => Interlocked.Exchange(ref next, New()).TrySetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

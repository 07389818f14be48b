namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>A guest was asked to let something go; whoever asks meanwhile waits for the same answer.</summary>
/// <param name="name">The device's or interface's name.</param>
internal sealed class UnplugRequest(string name, bool isInterface)
{
    private readonly List<TaskCompletionSource<UnplugResult?>> waiting = [];

    public string Name => name;

    public bool IsInterface => isInterface;

    /// <summary>True once the guest's answer does not matter any more: it came, or the VMM took its request back.</summary>
    public bool Closed { get; private set; }

    /// <summary>The guest's word, once it was given.</summary>
    public UnplugResult? Answer { get; private set; }

    /// <summary>True when everybody who asked has given up waiting.</summary>
    public bool IsAbandoned { get; private set; }

    /// <summary>Answers the guest's word; null when the host dies before.</summary>
    public TaskCompletionSource<UnplugResult?> NewWaiter()
    {
        var waiter = new TaskCompletionSource<UnplugResult?>(TaskCreationOptions.RunContinuationsAsynchronously);
        waiting.Add(waiter);
        IsAbandoned = false;
        return waiter;
    }

    /// <summary>This caller waits no longer. True when nobody else does.</summary>
    public bool GiveUp(TaskCompletionSource<UnplugResult?> waiter)
    {
        waiting.Remove(waiter);
        waiter.TrySetResult(UnplugResult.TimedOut);
        IsAbandoned = waiting.Count == 0;
        return IsAbandoned;
    }

    public void Close(UnplugResult? result)
    {
        Closed = true;
        Answer = result;
        foreach (var waiter in waiting)
            waiter.TrySetResult(result);
        waiting.Clear();
    }
}

using System.Runtime.InteropServices;

namespace LibvirtSharp;

/// <remarks>Closing: what this side ends, and what it learns of the other.</remarks>
public sealed partial class VirConnect
{
    private readonly TaskCompletionSource<VirConnectCloseReason> closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock gate = new();
    private readonly HashSet<VirEventSubscription> subscriptions = [];
    private nint closeCallback;
    private bool isClosing;

    /// <summary>
    /// Ends every event subscription and gives up this reference to the C connection. Stands for <c>virConnectClose</c>. A second call
    /// does nothing.
    /// </summary>
    /// <returns>
    /// How many references are left: 0 when the C connection is gone, more while objects got from it live, a call on another thread is under
    /// way or libvirt's event thread is just delivering; -1 when that is not known.
    /// </returns>
    public int Close()
    {
        VirEventSubscription[] open;
        lock (gate)
        {
            if (isClosing)
                return Handle.ReferencesLeft ?? -1;
            isClosing = true;
            open = [.. subscriptions];
        }

        foreach (var subscription in open)
            subscription.Dispose();
        Events.RemoveAll();
        UnwatchClosing();
        Handle.Dispose();
        closed.TrySetResult(VirConnectCloseReason.Client);
        return Handle.ReferencesLeft ?? -1;
    }

    internal void Add(VirEventSubscription subscription)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isClosing, this);
            subscriptions.Add(subscription);
        }

        if (closed.Task.IsCompleted)
            subscription.Complete();
    }

    internal void Remove(VirEventSubscription subscription)
    {
        lock (gate)
            subscriptions.Remove(subscription);
    }

    private unsafe void WatchClosing()
    {
        _ = closed.Task.ContinueWith(_ => CompleteSubscriptions(), TaskScheduler.Default);
        closeCallback = CallbackRegistry.Add(closed);
        // Succeeds, and does nothing, with a driver inside the process.
        Native.Check(NativeConnect.virConnectRegisterCloseCallback(Handle, &OnClosed, (void*)closeCallback, null));
    }

    private void CompleteSubscriptions()
    {
        lock (gate)
        {
            foreach (var subscription in subscriptions)
                subscription.Complete();
        }
    }

    private unsafe void UnwatchClosing()
    {
        // Fails with a driver that has not kept it, which is as well.
        _ = NativeConnect.virConnectUnregisterCloseCallback(Handle, &OnClosed);
        CallbackRegistry.Remove(closeCallback);
    }

    [UnmanagedCallersOnly]
    private static unsafe void OnClosed(nint connection, int reason, void* opaque) =>
        CallbackRegistry.Find<TaskCompletionSource<VirConnectCloseReason>>(opaque)?.TrySetResult((VirConnectCloseReason)reason);
}

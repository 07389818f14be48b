using System.Collections.Concurrent;

namespace ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

/// <summary>One thread that runs a test and, whenever everybody waits, lets virtual time jump to the next timer.</summary>
internal sealed class VirtualTimeLoop(VirtualTime time) : SynchronizationContext
{
    private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> ready = [];

    public override void Post(SendOrPostCallback d, object? state) => ready.Add((d, state));

    public void Run(Func<Task> test)
    {
        var before = Current;
        SetSynchronizationContext(this);
        try
        {
            var running = test();
            while (!running.IsCompleted)
            {
                if (ready.TryTake(out var next))
                {
                    next.Callback(next.State);
                    continue;
                }
                if (time.FireNext())
                    continue;
                // Nothing is ready and no timer is set: unless a thread of the runtime is just about to post, the test hangs.
                if (!ready.TryTake(out next, TimeSpan.FromSeconds(5)))
                    throw new InvalidOperationException("Everybody waits, and no timer is set.");
                next.Callback(next.State);
            }
            running.GetAwaiter().GetResult();
        }
        finally
        {
            SetSynchronizationContext(before);
        }
    }
}

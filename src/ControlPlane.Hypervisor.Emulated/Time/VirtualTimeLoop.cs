using System.Collections.Concurrent;

namespace ControlPlane.Hypervisor.Emulated.Time;

/// <summary>One thread that runs work on a fleet in virtual time and, whenever everybody waits, lets time jump to the next timer.</summary>
public sealed class VirtualTimeLoop(VirtualTime time) : SynchronizationContext
{
    private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> ready = [];

    /// <inheritdoc/>
    public override void Post(SendOrPostCallback d, object? state) => ready.Add((d, state));

    /// <summary>Answers when the work is done.</summary>
    /// <exception cref="InvalidOperationException">The work waits for something that no timer and no other task will bring.</exception>
    public void Run(Func<Task> work)
    {
        var before = Current;
        SetSynchronizationContext(this);
        try
        {
            var running = work();
            while (!running.IsCompleted)
            {
                if (ready.TryTake(out var next))
                {
                    next.Callback(next.State);
                    continue;
                }
                if (time.FireNext())
                    continue;
                // Nothing is ready and no timer is set: unless a thread of the runtime is just about to post, the work hangs.
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

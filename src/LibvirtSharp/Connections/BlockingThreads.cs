using System.Collections.Concurrent;

namespace LibvirtSharp;

/// <summary>
/// Threads for calls that block in C, so that the thread pool, which the rest of the process lives on, never waits for a hypervisor. A
/// thread that has nothing to do for a while ends.
/// </summary>
internal static class BlockingThreads
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(15);
    private static readonly BlockingCollection<Action> Work = [];
    private static int waiting;

    internal static Task<T> RunAsync<T>(Func<T> call)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Queue(() =>
        {
            try
            {
                result.SetResult(call());
            }
            catch (Exception e) // It belongs to whoever awaits.
            {
                result.SetException(e);
            }
        });
        return result.Task;
    }

    private static void Queue(Action work)
    {
        // Each waiting thread stands for one call that starts at once; nobody waits behind a call that blocks.
        var free = Volatile.Read(ref waiting);
        while (free > 0)
        {
            var seen = Interlocked.CompareExchange(ref waiting, free - 1, free);
            if (seen == free)
            {
                Work.Add(work);
                return;
            }

            free = seen;
        }

        new Thread(() => Run(work)) { IsBackground = true, Name = "libvirt call" }.Start();
    }

    private static void Run(Action? work)
    {
        while (work is not null)
        {
            work();
            Interlocked.Increment(ref waiting);
            if (!Work.TryTake(out work, Idle) && !TryLeave())
                work = Work.Take();
        }
    }

    /// <summary>False when a call was promised a waiting thread in the meantime: it is on its way into the queue.</summary>
    private static bool TryLeave()
    {
        var free = Volatile.Read(ref waiting);
        while (free > 0)
        {
            var seen = Interlocked.CompareExchange(ref waiting, free - 1, free);
            if (seen == free)
                return true;
            free = seen;
        }

        return false;
    }
}

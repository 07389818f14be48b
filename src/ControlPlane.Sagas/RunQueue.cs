namespace ControlPlane.Sagas;

/// <summary>
/// Drives queued runs, a bounded number at the same time. A worker lives as long as there is something to drive, so an idle server has
/// none. Work never begins on the thread that queued it: that one answers a request, or fires timers.
/// </summary>
internal sealed class RunQueue(int parallelismMax) : IThreadPoolWorkItem
{
    private readonly Lock gate = new();
    private readonly Queue<SagaRun> waiting = new();
    private SynchronizationContext? context;
    private Func<SagaRun, Task>? drive;
    private TaskCompletionSource? idle;
    private int workers;

    /// <summary>Whoever queued runs before is served now.</summary>
    /// <param name="driveRun">Must not throw.</param>
    public void Open(Func<SagaRun, Task> driveRun)
    {
        lock (gate)
        {
            // A simulation runs everything on its own context; a server has none and uses the thread pool.
            context = SynchronizationContext.Current;
            drive = driveRun;
            for (; workers < Math.Min(waiting.Count, parallelismMax); workers++)
                StartWorker();
        }
    }

    public void Add(SagaRun run)
    {
        lock (gate)
        {
            waiting.Enqueue(run);
            if (drive is null || workers == parallelismMax)
                return;
            workers++;
            StartWorker();
        }
    }

    /// <summary>Completes when nothing is driven and nothing waits to be.</summary>
    public Task WhenIdleAsync()
    {
        lock (gate)
            return workers == 0 ? Task.CompletedTask : (idle ??= NewSignal()).Task;
    }

    void IThreadPoolWorkItem.Execute() => _ = WorkAsync();

    private void StartWorker()
    {
        if (context is null)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        else
            context.Post(static queue => _ = ((RunQueue)queue!).WorkAsync(), this);
    }

    private async Task WorkAsync()
    {
        while (Next() is { } run)
            await drive!(run);
    }

    private SagaRun? Next()
    {
        TaskCompletionSource? nowIdle;
        lock (gate)
        {
            if (waiting.TryDequeue(out var run))
                return run;
            nowIdle = --workers == 0 ? idle : null;
            if (nowIdle is not null)
                idle = null;
        }

        nowIdle?.SetResult();
        return null;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

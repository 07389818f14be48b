namespace ControlPlane.Hypervisor.Emulated.Time;

/// <summary>
/// The line of events of one fleet, and the lock over its state. Whoever enters first lets every event happen that is due, each at its
/// own instant: a timer that fires late changes nothing but the moment of the computation.
/// </summary>
/// <remarks>
/// One lock for all hosts, because frames, migrations and crashes touch two of them at once. It is held for microseconds and never over an
/// await. Events that somebody waits for arm the one timer; all others (probe frames, rounds of a copy) are caught up with when they matter,
/// so that an idle fleet costs no CPU.
/// </remarks>
internal sealed class ModelClock : IDisposable
{
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private readonly PriorityQueue<Action, (long Ticks, long Order)> awaited = new();
    private readonly PriorityQueue<Action, (long Ticks, long Order)> quiet = new();

    /// <summary>Quiet events that follow at once, which most do: they need no sorting.</summary>
    private readonly Queue<Action> next = new();

    private readonly ITimer timer;
    private long order;
    private long nowTicks;
    private long armedForTicks = long.MaxValue;
    private bool closed;

    public ModelClock(TimeProvider time)
    {
        this.time = time;
        nowTicks = time.GetUtcNow().UtcTicks;
        timer = time.CreateTimer(_ => OnTimer(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The model's present: inside an event, the instant at which it is due.</summary>
    public DateTimeOffset Now => new(nowTicks, TimeSpan.Zero);

    /// <summary>Takes the lock and lets happen what is due. Not to be entered twice by one thread.</summary>
    public Scope Enter()
    {
        if (gate.IsHeldByCurrentThread)
            throw new InvalidOperationException("The model is entered already.");
        gate.Enter();
        try
        {
            CatchUp();
        }
        catch
        {
            // A bug in one event must not hold up every other caller for good.
            gate.Exit();
            throw;
        }
        return new Scope(this);
    }

    /// <summary>An event that a caller waits for: it happens on time.</summary>
    public void At(DateTimeOffset instant, Action happens) => awaited.Enqueue(happens, (instant.UtcTicks, order++));

    /// <summary>An event that nobody waits for: it happens, at its own instant, when somebody next looks.</summary>
    public void Quietly(DateTimeOffset instant, Action happens)
    {
        if (instant.UtcTicks == nowTicks)
            next.Enqueue(happens);
        else
            quiet.Enqueue(happens, (instant.UtcTicks, order++));
    }

    /// <summary>Passes after the given model time. Enters by itself.</summary>
    public async Task DelayAsync(TimeSpan span, CancellationToken ct)
    {
        var passed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (Enter())
            At(Now + span, passed.SetResult);
        await SettledAsync(passed.Task).WaitAsync(ct);
    }

    /// <summary>
    /// The same task, ending on the caller's synchronization context: waiting with a token on a source that completes asynchronously would
    /// go through the thread pool, which a simulation on one thread cannot follow.
    /// </summary>
    public static async Task<T> SettledAsync<T>(Task<T> task) => await task;

    private static async Task SettledAsync(Task task) => await task;

    public void Dispose()
    {
        lock (gate)
            closed = true;
        timer.Dispose();
    }

    private void OnTimer()
    {
        lock (gate)
        {
            if (closed)
                return;
            armedForTicks = long.MaxValue;
        }
        using (Enter())
        {
            // Entering is all: what was due has happened.
        }
    }

    private void CatchUp()
    {
        var realTicks = time.GetUtcNow().UtcTicks;
        while (true)
        {
            // What was planned for this instant before it came goes before what is planned in it.
            if (NextDue(next.Count > 0 ? nowTicks : realTicks) is { } queue)
            {
                queue.TryDequeue(out var planned, out var when);
                nowTicks = Math.Max(nowTicks, when.Ticks);
                planned!();
            }
            else if (next.TryDequeue(out var following))
            {
                following();
            }
            else
            {
                break;
            }
        }
        nowTicks = Math.Max(nowTicks, realTicks);
    }

    private PriorityQueue<Action, (long Ticks, long Order)>? NextDue(long untilTicks)
    {
        var hasAwaited = awaited.TryPeek(out _, out var first);
        var hasQuiet = quiet.TryPeek(out _, out var second);
        var queue = hasAwaited && (!hasQuiet || first.CompareTo(second) < 0) ? awaited : quiet;
        return queue.TryPeek(out _, out var due) && due.Ticks <= untilTicks ? queue : null;
    }

    private void Leave()
    {
        if (!closed && awaited.TryPeek(out _, out var next) && next.Ticks < armedForTicks)
        {
            armedForTicks = next.Ticks;
            // Rounded up to the timer's grain, or it would fire just before the event is due and find nothing.
            var wait = TimeSpan.FromTicks(Math.Max(0, next.Ticks - time.GetUtcNow().UtcTicks));
            timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
        }
        gate.Exit();
    }

    /// <summary>The time for which the model is entered.</summary>
    public readonly ref struct Scope(ModelClock clock)
    {
        public void Dispose() => clock.Leave();
    }
}

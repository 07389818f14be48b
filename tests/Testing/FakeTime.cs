namespace ControlPlane.Testing;

/// <summary>
/// Time that goes on only when told to. Timers fire in the order they are due, on the thread that advances, each at its own time; one
/// that is due at once fires where it is set.
/// </summary>
public sealed class FakeTime(DateTimeOffset start) : TimeProvider
{
    private readonly Lock gate = new();
    private readonly SortedSet<FakeTimer> armed = new(Comparer<FakeTimer>.Create(static (a, b) => a.Turn.CompareTo(b.Turn)));
    private DateTimeOffset now = start;
    private long changes;

    public FakeTime()
        : this(new DateTimeOffset(2026, 1, 5, 8, 0, 0, TimeSpan.Zero))
    {
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
            return now;
    }

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new FakeTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan time)
    {
        var until = GetUtcNow() + time;
        while (FireNext(until))
        {
        }

        lock (gate)
            now = until;
    }

    /// <summary>Goes on to when the next timer is due, and fires it; false when none is armed.</summary>
    public bool AdvanceToNextTimer() => FireNext(DateTimeOffset.MaxValue);

    private bool FireNext(DateTimeOffset until)
    {
        FakeTimer? next;
        lock (gate)
        {
            next = armed.Min;
            if (next is null || next.Turn.DueAt > until)
                return false;
            now = next.Turn.DueAt > now ? next.Turn.DueAt : now;
            armed.Remove(next);
            if (next.Period > TimeSpan.Zero)
                Arm(next, next.Period);
        }

        next.Fire();
        return true;
    }

    private void Arm(FakeTimer timer, TimeSpan due)
    {
        timer.Turn = (now + due, ++changes);
        armed.Add(timer);
    }

    private sealed class FakeTimer(FakeTime time, TimerCallback callback, object? state) : ITimer
    {
        /// <summary>When it fires; those due together fire in the order they were set. Fixed while it is armed.</summary>
        public (DateTimeOffset DueAt, long Change) Turn { get; set; }

        public TimeSpan Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time.gate)
            {
                time.armed.Remove(this);
                Period = period;
                if (dueTime > TimeSpan.Zero || (dueTime == TimeSpan.Zero && period > TimeSpan.Zero))
                    time.Arm(this, dueTime);
            }

            if (dueTime == TimeSpan.Zero && period <= TimeSpan.Zero)
                Fire();
            return true;
        }

        public void Dispose()
        {
            lock (time.gate)
                time.armed.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

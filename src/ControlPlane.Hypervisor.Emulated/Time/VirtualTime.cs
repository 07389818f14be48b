namespace ControlPlane.Hypervisor.Emulated.Time;

/// <summary>A clock that stands still until it is told to go on: a fleet made with it lives as fast as the CPU computes. For one thread.</summary>
public sealed class VirtualTime : TimeProvider
{
    private readonly PriorityQueue<Due, (DateTimeOffset At, long Order)> due = new();
    private DateTimeOffset now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private long order;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => now;

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override long GetTimestamp() => now.UtcTicks;

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new VirtualTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Jumps to the next timer and lets it fire; false when none is set.</summary>
    public bool FireNext()
    {
        while (due.TryDequeue(out var next, out var when))
        {
            if (next.Timer.Version != next.Version)
                continue;
            now = when.At > now ? when.At : now;
            next.Timer.Fire();
            return true;
        }
        return false;
    }

    /// <summary>Lets time pass, with every timer that falls into it.</summary>
    public void Advance(TimeSpan span)
    {
        var until = now + span;
        while (due.TryPeek(out var next, out var when) && when.At <= until)
        {
            if (next.Timer.Version == next.Version)
                FireNext();
            else
                due.Dequeue();
        }
        now = until;
    }

    private readonly record struct Due(VirtualTimer Timer, int Version);

    private sealed class VirtualTimer(VirtualTime time, Action fire) : ITimer
    {
        public int Version { get; private set; }

        public void Fire()
        {
            Version++;
            fire();
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (period != Timeout.InfiniteTimeSpan)
                throw new NotSupportedException("Virtual time has no periodic timers: the model sets each one anew.");
            Version++;
            if (dueTime != Timeout.InfiniteTimeSpan)
                time.due.Enqueue(new Due(this, Version), (time.now + dueTime, time.order++));
            return true;
        }

        public void Dispose() => Version++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

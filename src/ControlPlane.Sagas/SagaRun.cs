namespace ControlPlane.Sagas;

/// <summary>How a drive ended.</summary>
internal enum DriveEnd
{
    /// <summary>A timer or a signal queues it again.</summary>
    Parked,
    AtRest,

    /// <summary>Another server has it, or the row is gone.</summary>
    Lost,

    /// <summary>The server stops; the row says where to go on.</summary>
    Stopped,
}

/// <summary>
/// One saga in memory: queued, driven or parked. Signals may come from any thread at any time; one that comes while the saga is driven
/// is kept until it parks, so none is lost.
/// </summary>
internal abstract class SagaRun(SagaRuntime runtime, SagaRecord record) : ICancelFlag
{
    // Timers of the platform reach about 49 days; a saga that is woken too early parks again.
    private static readonly TimeSpan TimerMax = TimeSpan.FromDays(1);

    private readonly Lock gate = new();
    private Phase phase = Phase.Queued;
    private ITimer? timer;
    private bool woken;
    private bool stopsForWake;
    private bool stopsForCancel;
    private bool cancelRequested = record.CancelRequested;

    private enum Phase
    {
        Queued,
        Driven,
        Parked,
        Retired,
    }

    public Guid Id { get; } = record.Id;

    /// <summary>The row as last committed, as far as this server knows.</summary>
    public abstract SagaRecord Record { get; }

    /// <summary>Once it rests.</summary>
    public abstract RestedSaga Rested { get; }

    bool ICancelFlag.IsRaised => CancelRequested && CanTurnRound;

    protected abstract bool CanTurnRound { get; }

    protected SagaRuntime Runtime { get; } = runtime;

    protected bool CancelRequested => Volatile.Read(ref cancelRequested);

    public abstract Task<DriveEnd> DriveAsync();

    /// <summary>Calls a waiting step now, or as soon as the step that runs turns out to wait.</summary>
    public void Wake()
    {
        lock (gate)
        {
            woken = true;
            if (phase == Phase.Parked && stopsForWake)
                Requeue();
        }
    }

    public void RaiseCancel()
    {
        lock (gate)
        {
            cancelRequested = true;
            if (phase == Phase.Parked && stopsForCancel)
                Requeue();
        }
    }

    /// <summary>No timer or signal reaches it any more.</summary>
    /// <returns>False when it is being driven still.</returns>
    public bool Retire()
    {
        lock (gate)
        {
            var stands = phase != Phase.Driven;
            phase = Phase.Retired;
            timer?.Dispose();
            timer = null;
            return stands;
        }
    }

    /// <summary>Its drive ended where the server stopped it.</summary>
    public void StandStill()
    {
        lock (gate)
        {
            if (phase == Phase.Driven)
                phase = Phase.Queued;
        }
    }

    protected void BeginDriving()
    {
        lock (gate)
        {
            if (phase != Phase.Retired)
                phase = Phase.Driven;
        }
    }

    /// <summary>The signal, if there was one; it counts for the call that comes now.</summary>
    protected bool TakeWakeUp()
    {
        lock (gate)
        {
            var had = woken;
            woken = false;
            return had;
        }
    }

    /// <summary>False when a signal that matters has come already.</summary>
    protected bool TryPark(TimeSpan due, bool forWake, bool forCancel)
    {
        lock (gate)
        {
            if (phase == Phase.Retired)
                return true;
            if ((forWake && woken) || (forCancel && cancelRequested))
                return false;
            (stopsForWake, stopsForCancel) = (forWake, forCancel);
            phase = Phase.Parked;
            timer ??= Runtime.Clock.CreateTimer(static run => ((SagaRun)run!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            timer.Change(due < TimerMax ? due : TimerMax, Timeout.InfiniteTimeSpan);
            return true;
        }
    }

    private void OnTimer()
    {
        lock (gate)
        {
            if (phase == Phase.Parked)
                Requeue();
        }
    }

    private void Requeue()
    {
        phase = Phase.Queued;
        Runtime.Queue.Add(this);
    }
}

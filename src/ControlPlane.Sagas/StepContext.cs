namespace ControlPlane.Sagas;

/// <summary>What a step may know about its own running.</summary>
public sealed class StepContext
{
    private readonly ICancelFlag cancel;

    internal StepContext(SagaRecord record, string step, DateTimeOffset startedAt, TimeProvider clock, ICancelFlag cancel)
    {
        SagaId = record.Id;
        SagaCreatedAt = record.CreatedAt;
        Step = step;
        Attempt = record.Attempt + 1;
        LeaseGeneration = record.LeaseGeneration;
        Failure = record.Failure;
        StartedAt = startedAt;
        Clock = clock;
        this.cancel = cancel;
    }

    public Guid SagaId { get; }

    public DateTimeOffset SagaCreatedAt { get; }

    public string Step { get; }

    /// <summary>The same for every repetition of this step of this saga: the key under which a driver recognises a repeated action.</summary>
    public string Key => $"{SagaId:N}/{Step}";

    /// <summary>1 at first; grows with each Retry, and begins at 1 again after a Wait.</summary>
    public int Attempt { get; }

    /// <summary>Grows with every take-over of the saga by a runner.</summary>
    public long LeaseGeneration { get; }

    /// <summary>When this step (in an undo: its undo) was first started. A step that waits measures its own deadline from here.</summary>
    public DateTimeOffset StartedAt { get; }

    /// <summary>In an undo: why the saga turned round. Null in a step.</summary>
    public SagaFailure? Failure { get; }

    /// <summary>
    /// Live: true as soon as somebody asked to cancel while the saga can still turn round. A long step may then return early, with any
    /// outcome: the saga unwinds at its end. Never true past the point of no return, nor in an undo.
    /// </summary>
    public bool CancelRequested => cancel.IsRaised;

    public TimeProvider Clock { get; }

    public DateTimeOffset Now => Clock.GetUtcNow();
}

internal interface ICancelFlag
{
    bool IsRaised { get; }
}

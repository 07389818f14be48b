namespace ControlPlane.Sagas;

/// <summary>How one server runs its sagas.</summary>
public sealed record SagaRunnerOptions
{
    /// <summary>
    /// Names this start of this server in leases: unique per process start, so that a server never mistakes the leases of its own dead
    /// predecessor for its own.
    /// </summary>
    public required string Owner { get; init; }

    /// <summary>How long a dead server's sagas lie still before another takes them. Renewed at a third of it.</summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Sagas whose steps run at the same time; the others queue, parked ones do not count.</summary>
    public int ParallelismMax { get; init; } = 256;

    /// <summary>
    /// No other server shares the database, so at the start every saga not at rest is taken at once instead of when its lease lapses.
    /// </summary>
    public bool IsSoleServer { get; init; }

    /// <summary>Sagas taken over by one statement.</summary>
    public int TakeOverBatch { get; init; } = 256;
}

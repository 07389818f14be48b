namespace ControlPlane.Persistence.Writing;

/// <summary>How a server's writes are batched.</summary>
public sealed record WriterOptions
{
    public static readonly WriterOptions Default = new();

    /// <summary>Transactions at a time. One fills its batches best; measured, a second one gains nothing on a few cores.</summary>
    public int Connections { get; init; } = 1;

    /// <summary>Units in one transaction.</summary>
    public int BatchMax { get; init; } = 256;

    /// <summary>Units that wait; callers beyond it wait to be queued.</summary>
    public int QueueMax { get; init; } = 4096;

    /// <summary>How long a batch is tried for while the database does not answer; then its units end as <c>database-unavailable</c>.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Tell other servers on the same database of each commit.</summary>
    public bool NotifyOthers { get; init; } = true;
}

/// <summary>The database of this server.</summary>
public sealed record PersistenceOptions(string ConnectionString)
{
    public WriterOptions Writer { get; init; } = WriterOptions.Default;
}

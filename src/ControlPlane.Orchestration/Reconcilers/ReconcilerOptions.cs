namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>Periods and limits of the reconcilers.</summary>
public sealed record ReconcilerOptions
{
    public static readonly ReconcilerOptions Default = new();

    /// <summary>How long a dead server's hosts are looked after by nobody before another takes them. Renewed at a third of it.</summary>
    public TimeSpan HostLease { get; init; } = TimeSpan.FromSeconds(15);

    public TimeSpan HeartbeatEvery { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long one sign of life may take.</summary>
    public TimeSpan PingTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Pings in a row without an answer after which a host counts as down.</summary>
    public int SilentPingsMax { get; init; } = 3;

    /// <summary>Hosts that are talked to at the same time.</summary>
    public int HostsAtOnce { get; init; } = 32;

    /// <summary>A host that was registered is left to the operation that connects it for so long.</summary>
    public TimeSpan ConnectingGrace { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How often it is seen to that each host is watched; the watching itself waits for events.</summary>
    public TimeSpan WatchEvery { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest wait before a stream of events that ended is opened again.</summary>
    public TimeSpan WatchBackOffMax { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan RescanEvery { get; init; } = TimeSpan.FromMinutes(5);

    public TimeSpan AuditEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>What has changed less than this ago the auditor leaves alone.</summary>
    public TimeSpan AuditGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Repairs of one host in one run; the rest waits for the next.</summary>
    public int RepairsMax { get; init; } = 64;

    /// <summary>
    /// So many domains of a host that no VM is recorded for are no leak: the database has lost its memory (an old backup was restored).
    /// Then they are reported and none is touched.
    /// </summary>
    public int UnknownDomainsMax { get; init; } = 8;

    /// <summary>How long the guest has to let go of a device that it should not have.</summary>
    public TimeSpan UnplugTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A repair that did not work is tried again after this, then after twice as long, up to <see cref="RetryRepairMax"/>.</summary>
    public TimeSpan RetryRepair { get; init; } = TimeSpan.FromMinutes(1);

    public TimeSpan RetryRepairMax { get; init; } = TimeSpan.FromHours(1);

    public TimeSpan StuckEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>An operation that a silent host left stuck is resumed this long after it got stuck, once its hosts answer.</summary>
    public TimeSpan ResumeAfter { get; init; } = TimeSpan.FromMinutes(1);

    public TimeSpan AbandonedEvery { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Work that nothing carries on is given up after so long.</summary>
    public TimeSpan AbandonedAfter { get; init; } = TimeSpan.FromMinutes(15);

    public TimeSpan RetentionEvery { get; init; } = TimeSpan.FromMinutes(10);

    public TimeSpan KeepEvents { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Operations that have ended, with their sagas and logs. Those of a migration are kept as long as the migration.</summary>
    public TimeSpan KeepOperations { get; init; } = TimeSpan.FromDays(30);

    public TimeSpan KeepMigrations { get; init; } = TimeSpan.FromDays(90);

    public TimeSpan KeepAudit { get; init; } = TimeSpan.FromDays(365);

    /// <summary>Rows that one statement deletes: short enough that nobody waits for its locks.</summary>
    public int DeleteBatch { get; init; } = 1000;

    /// <summary>Statements of one run; what is left over is the next run's.</summary>
    public int DeleteBatchesMax { get; init; } = 20;

    public TimeSpan RefreshEvery { get; init; } = TimeSpan.FromSeconds(2);
}

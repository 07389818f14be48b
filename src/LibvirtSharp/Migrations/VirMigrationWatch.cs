namespace LibvirtSharp;

/// <summary>How an asynchronous migration tells how far it is.</summary>
/// <param name="Progress">Is told the job's statistics; on thread-pool threads.</param>
/// <param name="Interval">How often.</param>
/// <param name="Time">The clock that the interval, and the pause between two tries to abort, are measured by; null for the system's.</param>
public sealed record VirMigrationWatch(IProgress<VirJobStatistics>? Progress = null, TimeSpan? Interval = null, TimeProvider? Time = null)
{
    /// <summary>Short enough for a human who watches.</summary>
    public static readonly TimeSpan DefaultInterval = TimeSpan.FromMilliseconds(500);
}

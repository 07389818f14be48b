namespace LibvirtSharp;

/// <summary>Which job's statistics are wanted. Stands for C's <c>virDomainGetJobStatsFlags</c>.</summary>
[Flags]
public enum VirDomainGetJobStatsFlags : uint
{
    /// <summary>No flag: the default.</summary>
    None = 0,

    /// <summary><c>VIR_DOMAIN_JOB_STATS_COMPLETED</c>: of the newest job that ended, instead of the one that runs. Reading removes
    /// them.</summary>
    Completed = 1u << 0,

    /// <summary><c>VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED</c>: reading does not remove them.</summary>
    KeepCompleted = 1u << 1,
}

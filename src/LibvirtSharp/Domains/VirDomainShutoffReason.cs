namespace LibvirtSharp;

/// <summary>Why a domain is off. Stands for C's <c>virDomainShutoffReason</c>.</summary>
public enum VirDomainShutoffReason
{
    /// <summary><c>VIR_DOMAIN_SHUTOFF_UNKNOWN</c>.</summary>
    Unknown = 0,

    /// <summary><c>VIR_DOMAIN_SHUTOFF_SHUTDOWN</c>: the guest went down by itself or on request.</summary>
    Shutdown = 1,

    /// <summary><c>VIR_DOMAIN_SHUTOFF_DESTROYED</c>: it was stopped by force.</summary>
    Destroyed = 2,

    /// <summary><c>VIR_DOMAIN_SHUTOFF_CRASHED</c>: it crashed.</summary>
    Crashed = 3,

    /// <summary><c>VIR_DOMAIN_SHUTOFF_MIGRATED</c>: it lives on another host now.</summary>
    Migrated = 4,

    /// <summary><c>VIR_DOMAIN_SHUTOFF_SAVED</c>: its memory is in a file.</summary>
    Saved = 5,

    /// <summary><c>VIR_DOMAIN_SHUTOFF_FAILED</c>: it could not be started.</summary>
    Failed = 6,

    /// <summary><c>VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT</c>: it was taken back to a snapshot of when it was off.</summary>
    FromSnapshot = 7,

    /// <summary><c>VIR_DOMAIN_SHUTOFF_DAEMON</c>: the daemon lost it, or ended it while it started again.</summary>
    Daemon = 8,
}

namespace LibvirtSharp;

/// <summary>Why a domain is paused. Stands for C's <c>virDomainPausedReason</c>.</summary>
public enum VirDomainPausedReason
{
    /// <summary><c>VIR_DOMAIN_PAUSED_UNKNOWN</c>.</summary>
    Unknown = 0,

    /// <summary><c>VIR_DOMAIN_PAUSED_USER</c>: a caller asked for it.</summary>
    User = 1,

    /// <summary><c>VIR_DOMAIN_PAUSED_MIGRATION</c>: its memory is being moved, not live.</summary>
    Migration = 2,

    /// <summary><c>VIR_DOMAIN_PAUSED_SAVE</c>: it is being saved.</summary>
    Save = 3,

    /// <summary><c>VIR_DOMAIN_PAUSED_DUMP</c>: its memory is being dumped.</summary>
    Dump = 4,

    /// <summary><c>VIR_DOMAIN_PAUSED_IOERROR</c>: a disk failed.</summary>
    Ioerror = 5,

    /// <summary><c>VIR_DOMAIN_PAUSED_WATCHDOG</c>: its watchdog fired.</summary>
    Watchdog = 6,

    /// <summary><c>VIR_DOMAIN_PAUSED_FROM_SNAPSHOT</c>: it was taken back to a paused snapshot.</summary>
    FromSnapshot = 7,

    /// <summary><c>VIR_DOMAIN_PAUSED_SHUTTING_DOWN</c>: it is being shut down.</summary>
    ShuttingDown = 8,

    /// <summary><c>VIR_DOMAIN_PAUSED_SNAPSHOT</c>: a snapshot is being made.</summary>
    Snapshot = 9,

    /// <summary><c>VIR_DOMAIN_PAUSED_CRASHED</c>: its guest crashed.</summary>
    Crashed = 10,

    /// <summary><c>VIR_DOMAIN_PAUSED_STARTING_UP</c>: it is being started.</summary>
    StartingUp = 11,

    /// <summary><c>VIR_DOMAIN_PAUSED_POSTCOPY</c>: on the source: the guest runs on the target now.</summary>
    Postcopy = 12,

    /// <summary><c>VIR_DOMAIN_PAUSED_POSTCOPY_FAILED</c>: post-copy broke; it waits to be continued.</summary>
    PostcopyFailed = 13,
}

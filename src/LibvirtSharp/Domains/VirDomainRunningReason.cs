namespace LibvirtSharp;

/// <summary>Why a domain is running. Stands for C's <c>virDomainRunningReason</c>.</summary>
public enum VirDomainRunningReason
{
    /// <summary><c>VIR_DOMAIN_RUNNING_UNKNOWN</c>.</summary>
    Unknown = 0,

    /// <summary><c>VIR_DOMAIN_RUNNING_BOOTED</c>: it was started.</summary>
    Booted = 1,

    /// <summary><c>VIR_DOMAIN_RUNNING_MIGRATED</c>: it came from another host.</summary>
    Migrated = 2,

    /// <summary><c>VIR_DOMAIN_RUNNING_RESTORED</c>: its memory came from a file.</summary>
    Restored = 3,

    /// <summary><c>VIR_DOMAIN_RUNNING_FROM_SNAPSHOT</c>: it was taken back to a snapshot.</summary>
    FromSnapshot = 4,

    /// <summary><c>VIR_DOMAIN_RUNNING_UNPAUSED</c>: it was paused and resumed.</summary>
    Unpaused = 5,

    /// <summary><c>VIR_DOMAIN_RUNNING_MIGRATION_CANCELED</c>: a migration away from here failed or was cancelled.</summary>
    MigrationCanceled = 6,

    /// <summary><c>VIR_DOMAIN_RUNNING_SAVE_CANCELED</c>: a save failed or was cancelled.</summary>
    SaveCanceled = 7,

    /// <summary><c>VIR_DOMAIN_RUNNING_WAKEUP</c>: it was woken from the guest's own sleep.</summary>
    Wakeup = 8,

    /// <summary><c>VIR_DOMAIN_RUNNING_CRASHED</c>: it was resumed after a crash.</summary>
    Crashed = 9,

    /// <summary><c>VIR_DOMAIN_RUNNING_POSTCOPY</c>: it runs here while pages still come from the source.</summary>
    Postcopy = 10,

    /// <summary><c>VIR_DOMAIN_RUNNING_POSTCOPY_FAILED</c>: it runs here and the copying of its pages broke.</summary>
    PostcopyFailed = 11,
}

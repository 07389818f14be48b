namespace LibvirtSharp;

/// <summary>Detail of <see cref="VirDomainEventType.Suspended"/>. Stands for C's <c>virDomainEventSuspendedDetailType</c>.</summary>
public enum VirDomainEventSuspendedDetailType
{
    /// <summary><c>VIR_DOMAIN_EVENT_SUSPENDED_PAUSED</c>: a caller asked for it.</summary>
    Paused = 0,

    /// <summary><c>VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED</c>: it is being moved to another host.</summary>
    Migrated = 1,

    /// <summary><c>VIR_DOMAIN_EVENT_SUSPENDED_IOERROR</c>: a disk failed.</summary>
    Ioerror = 2,

    /// <summary><c>VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG</c>: its watchdog fired.</summary>
    Watchdog = 3,

    /// <summary><c>VIR_DOMAIN_EVENT_SUSPENDED_RESTORED</c>: it was restored from a paused image.</summary>
    Restored = 4,

    /// <summary><c>VIR_DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT</c>: it was taken back to a paused snapshot.</summary>
    FromSnapshot = 5,

    /// <summary><c>VIR_DOMAIN_EVENT_SUSPENDED_API_ERROR</c>: a call failed half way.</summary>
    ApiError = 6,

    /// <summary><c>VIR_DOMAIN_EVENT_SUSPENDED_POSTCOPY</c>: the guest runs on the target now.</summary>
    Postcopy = 7,

    /// <summary><c>VIR_DOMAIN_EVENT_SUSPENDED_POSTCOPY_FAILED</c>: post-copy broke.</summary>
    PostcopyFailed = 8,
}

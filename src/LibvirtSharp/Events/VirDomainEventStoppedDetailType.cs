namespace LibvirtSharp;

/// <summary>Detail of <see cref="VirDomainEventType.Stopped"/>. Stands for C's <c>virDomainEventStoppedDetailType</c>.</summary>
public enum VirDomainEventStoppedDetailType
{
    /// <summary><c>VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN</c>: the guest went down by itself or on request.</summary>
    Shutdown = 0,

    /// <summary><c>VIR_DOMAIN_EVENT_STOPPED_DESTROYED</c>: it was stopped by force.</summary>
    Destroyed = 1,

    /// <summary><c>VIR_DOMAIN_EVENT_STOPPED_CRASHED</c>: its guest or its VMM crashed.</summary>
    Crashed = 2,

    /// <summary><c>VIR_DOMAIN_EVENT_STOPPED_MIGRATED</c>: it lives on another host now.</summary>
    Migrated = 3,

    /// <summary><c>VIR_DOMAIN_EVENT_STOPPED_SAVED</c>: its memory is in a file.</summary>
    Saved = 4,

    /// <summary><c>VIR_DOMAIN_EVENT_STOPPED_FAILED</c>: the VMM or the daemon failed.</summary>
    Failed = 5,

    /// <summary><c>VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT</c>: it was taken back to a snapshot of when it was off.</summary>
    FromSnapshot = 6,
}

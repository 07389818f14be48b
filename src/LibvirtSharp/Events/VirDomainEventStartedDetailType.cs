namespace LibvirtSharp;

/// <summary>Detail of <see cref="VirDomainEventType.Started"/>. Stands for C's <c>virDomainEventStartedDetailType</c>.</summary>
public enum VirDomainEventStartedDetailType
{
    /// <summary><c>VIR_DOMAIN_EVENT_STARTED_BOOTED</c>: it was started.</summary>
    Booted = 0,

    /// <summary><c>VIR_DOMAIN_EVENT_STARTED_MIGRATED</c>: it comes from another host.</summary>
    Migrated = 1,

    /// <summary><c>VIR_DOMAIN_EVENT_STARTED_RESTORED</c>: its memory came from a file.</summary>
    Restored = 2,

    /// <summary><c>VIR_DOMAIN_EVENT_STARTED_FROM_SNAPSHOT</c>: it was taken back to a snapshot.</summary>
    FromSnapshot = 3,

    /// <summary><c>VIR_DOMAIN_EVENT_STARTED_WAKEUP</c>: it was woken.</summary>
    Wakeup = 4,
}

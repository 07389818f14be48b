namespace LibvirtSharp;

/// <summary>Detail of <see cref="VirDomainEventType.Resumed"/>. Stands for C's <c>virDomainEventResumedDetailType</c>.</summary>
public enum VirDomainEventResumedDetailType
{
    /// <summary><c>VIR_DOMAIN_EVENT_RESUMED_UNPAUSED</c>.</summary>
    Unpaused = 0,

    /// <summary><c>VIR_DOMAIN_EVENT_RESUMED_MIGRATED</c>.</summary>
    Migrated = 1,

    /// <summary><c>VIR_DOMAIN_EVENT_RESUMED_FROM_SNAPSHOT</c>.</summary>
    FromSnapshot = 2,

    /// <summary><c>VIR_DOMAIN_EVENT_RESUMED_POSTCOPY</c>.</summary>
    Postcopy = 3,

    /// <summary><c>VIR_DOMAIN_EVENT_RESUMED_POSTCOPY_FAILED</c>.</summary>
    PostcopyFailed = 4,
}

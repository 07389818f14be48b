namespace LibvirtSharp;

/// <summary>Detail of <see cref="VirDomainEventType.Shutdown"/>. Stands for C's <c>virDomainEventShutdownDetailType</c>.</summary>
public enum VirDomainEventShutdownDetailType
{
    /// <summary><c>VIR_DOMAIN_EVENT_SHUTDOWN_FINISHED</c>.</summary>
    Finished = 0,

    /// <summary><c>VIR_DOMAIN_EVENT_SHUTDOWN_GUEST</c>.</summary>
    Guest = 1,

    /// <summary><c>VIR_DOMAIN_EVENT_SHUTDOWN_HOST</c>.</summary>
    Host = 2,
}

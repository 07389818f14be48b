namespace LibvirtSharp;

/// <summary>What happened in a domain's life. Stands for C's <c>virDomainEventType</c>.</summary>
public enum VirDomainEventType
{
    /// <summary><c>VIR_DOMAIN_EVENT_DEFINED</c>: its definition was stored or changed.</summary>
    Defined = 0,

    /// <summary><c>VIR_DOMAIN_EVENT_UNDEFINED</c>: its definition is gone.</summary>
    Undefined = 1,

    /// <summary><c>VIR_DOMAIN_EVENT_STARTED</c>: it is in memory now.</summary>
    Started = 2,

    /// <summary><c>VIR_DOMAIN_EVENT_SUSPENDED</c>: its vCPUs stand still.</summary>
    Suspended = 3,

    /// <summary><c>VIR_DOMAIN_EVENT_RESUMED</c>: its vCPUs run on.</summary>
    Resumed = 4,

    /// <summary><c>VIR_DOMAIN_EVENT_STOPPED</c>: it is no more in memory.</summary>
    Stopped = 5,

    /// <summary><c>VIR_DOMAIN_EVENT_SHUTDOWN</c>: the guest has gone down; <c>Stopped</c> follows.</summary>
    Shutdown = 6,

    /// <summary><c>VIR_DOMAIN_EVENT_PMSUSPENDED</c>: the guest has put itself to sleep.</summary>
    Pmsuspended = 7,

    /// <summary><c>VIR_DOMAIN_EVENT_CRASHED</c>: its guest has crashed.</summary>
    Crashed = 8,
}

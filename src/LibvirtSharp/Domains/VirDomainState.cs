namespace LibvirtSharp;

/// <summary>What a domain is doing. Stands for C's <c>virDomainState</c>.</summary>
public enum VirDomainState
{
    /// <summary><c>VIR_DOMAIN_NOSTATE</c>: not known.</summary>
    Nostate = 0,

    /// <summary><c>VIR_DOMAIN_RUNNING</c>: its vCPUs run.</summary>
    Running = 1,

    /// <summary><c>VIR_DOMAIN_BLOCKED</c>: it waits for a resource (Xen).</summary>
    Blocked = 2,

    /// <summary><c>VIR_DOMAIN_PAUSED</c>: it is in memory and its vCPUs are stopped.</summary>
    Paused = 3,

    /// <summary><c>VIR_DOMAIN_SHUTDOWN</c>: the guest is going down.</summary>
    Shutdown = 4,

    /// <summary><c>VIR_DOMAIN_SHUTOFF</c>: it is defined and not in memory.</summary>
    Shutoff = 5,

    /// <summary><c>VIR_DOMAIN_CRASHED</c>: its guest has crashed.</summary>
    Crashed = 6,

    /// <summary><c>VIR_DOMAIN_PMSUSPENDED</c>: the guest has put itself to sleep.</summary>
    Pmsuspended = 7,
}

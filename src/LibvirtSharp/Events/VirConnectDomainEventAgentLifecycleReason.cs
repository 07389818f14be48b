namespace LibvirtSharp;

/// <summary>Why the state of the guest's agent changed. Stands for C's <c>virConnectDomainEventAgentLifecycleReason</c>.</summary>
public enum VirConnectDomainEventAgentLifecycleReason
{
    /// <summary><c>VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_UNKNOWN</c>.</summary>
    Unknown = 0,

    /// <summary><c>VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_DOMAIN_STARTED</c>.</summary>
    DomainStarted = 1,

    /// <summary><c>VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL</c>.</summary>
    Channel = 2,
}

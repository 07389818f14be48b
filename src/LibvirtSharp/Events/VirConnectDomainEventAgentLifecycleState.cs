namespace LibvirtSharp;

/// <summary>Whether the guest's agent is there. Stands for C's <c>virConnectDomainEventAgentLifecycleState</c>.</summary>
public enum VirConnectDomainEventAgentLifecycleState
{
    /// <summary><c>VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED</c>.</summary>
    Connected = 1,

    /// <summary><c>VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED</c>.</summary>
    Disconnected = 2,
}

namespace LibvirtSharp;

/// <summary>How a domain is stopped by force. Stands for C's <c>virDomainDestroyFlagsValues</c>.</summary>
[Flags]
public enum VirDomainDestroyFlags : uint
{
    /// <summary><c>VIR_DOMAIN_DESTROY_DEFAULT</c>: killed if need be; what the VMM has not flushed is lost.</summary>
    Default = 0,

    /// <summary><c>VIR_DOMAIN_DESTROY_GRACEFUL</c>: SIGTERM only; fails when the VMM does not end in time.</summary>
    Graceful = 1u << 0,

    /// <summary><c>VIR_DOMAIN_DESTROY_REMOVE_LOGS</c>: its log files go too.</summary>
    RemoveLogs = 1u << 1,
}

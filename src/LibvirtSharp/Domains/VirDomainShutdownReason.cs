namespace LibvirtSharp;

/// <summary>Why a domain is shutting down. Stands for C's <c>virDomainShutdownReason</c>.</summary>
public enum VirDomainShutdownReason
{
    /// <summary><c>VIR_DOMAIN_SHUTDOWN_UNKNOWN</c>.</summary>
    Unknown = 0,

    /// <summary><c>VIR_DOMAIN_SHUTDOWN_USER</c>: a caller asked for it.</summary>
    User = 1,
}

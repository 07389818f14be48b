namespace LibvirtSharp;

/// <summary>Why a domain has crashed. Stands for C's <c>virDomainCrashedReason</c>.</summary>
public enum VirDomainCrashedReason
{
    /// <summary><c>VIR_DOMAIN_CRASHED_UNKNOWN</c>.</summary>
    Unknown = 0,

    /// <summary><c>VIR_DOMAIN_CRASHED_PANICKED</c>: the guest's kernel said so.</summary>
    Panicked = 1,
}

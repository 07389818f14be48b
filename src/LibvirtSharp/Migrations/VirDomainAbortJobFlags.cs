namespace LibvirtSharp;

/// <summary>How a job is aborted. Stands for C's <c>virDomainAbortJobFlagsValues</c>.</summary>
[Flags]
public enum VirDomainAbortJobFlags : uint
{
    /// <summary>No flag: the default.</summary>
    None = 0,

    /// <summary><c>VIR_DOMAIN_ABORT_JOB_POSTCOPY</c>: interrupts a migration in its post-copy phase, which cannot be undone; it can be
    /// continued with <c>PostcopyResume</c>.</summary>
    Postcopy = 1u << 0,
}

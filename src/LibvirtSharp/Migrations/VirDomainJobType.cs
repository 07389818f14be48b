namespace LibvirtSharp;

/// <summary>Where a domain's job stands. Stands for C's <c>virDomainJobType</c>.</summary>
public enum VirDomainJobType
{
    /// <summary><c>VIR_DOMAIN_JOB_NONE</c>: there is none.</summary>
    None = 0,

    /// <summary><c>VIR_DOMAIN_JOB_BOUNDED</c>: it runs and knows how much is left.</summary>
    Bounded = 1,

    /// <summary><c>VIR_DOMAIN_JOB_UNBOUNDED</c>: it runs and cannot know how much is left.</summary>
    Unbounded = 2,

    /// <summary><c>VIR_DOMAIN_JOB_COMPLETED</c>: it is done.</summary>
    Completed = 3,

    /// <summary><c>VIR_DOMAIN_JOB_FAILED</c>: it broke.</summary>
    Failed = 4,

    /// <summary><c>VIR_DOMAIN_JOB_CANCELLED</c>: it was aborted.</summary>
    Cancelled = 5,
}

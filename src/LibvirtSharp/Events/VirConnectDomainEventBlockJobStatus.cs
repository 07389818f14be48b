namespace LibvirtSharp;

/// <summary>How a disk's job stands. Stands for C's <c>virConnectDomainEventBlockJobStatus</c>.</summary>
public enum VirConnectDomainEventBlockJobStatus
{
    /// <summary><c>VIR_DOMAIN_BLOCK_JOB_COMPLETED</c>: it is done.</summary>
    Completed = 0,

    /// <summary><c>VIR_DOMAIN_BLOCK_JOB_FAILED</c>: it broke.</summary>
    Failed = 1,

    /// <summary><c>VIR_DOMAIN_BLOCK_JOB_CANCELED</c>: it was aborted.</summary>
    Canceled = 2,

    /// <summary><c>VIR_DOMAIN_BLOCK_JOB_READY</c>: the mirror is in step; it can be pivoted to.</summary>
    Ready = 3,
}

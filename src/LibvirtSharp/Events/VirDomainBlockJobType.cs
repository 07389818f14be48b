namespace LibvirtSharp;

/// <summary>What a disk's job does. Stands for C's <c>virDomainBlockJobType</c>.</summary>
public enum VirDomainBlockJobType
{
    /// <summary><c>VIR_DOMAIN_BLOCK_JOB_TYPE_UNKNOWN</c>.</summary>
    Unknown = 0,

    /// <summary><c>VIR_DOMAIN_BLOCK_JOB_TYPE_PULL</c>: backing files are merged into the disk.</summary>
    Pull = 1,

    /// <summary><c>VIR_DOMAIN_BLOCK_JOB_TYPE_COPY</c>: the disk is mirrored to another place.</summary>
    Copy = 2,

    /// <summary><c>VIR_DOMAIN_BLOCK_JOB_TYPE_COMMIT</c>: a lower layer is merged into the one below.</summary>
    Commit = 3,

    /// <summary><c>VIR_DOMAIN_BLOCK_JOB_TYPE_ACTIVE_COMMIT</c>: the active layer is merged into the one below.</summary>
    ActiveCommit = 4,

    /// <summary><c>VIR_DOMAIN_BLOCK_JOB_TYPE_BACKUP</c>: the disk is backed up.</summary>
    Backup = 5,
}

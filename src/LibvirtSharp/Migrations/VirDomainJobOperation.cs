namespace LibvirtSharp;

/// <summary>What a domain's job does. Stands for C's <c>virDomainJobOperation</c>.</summary>
public enum VirDomainJobOperation
{
    /// <summary><c>VIR_DOMAIN_JOB_OPERATION_UNKNOWN</c>.</summary>
    Unknown = 0,

    /// <summary><c>VIR_DOMAIN_JOB_OPERATION_START</c>.</summary>
    Start = 1,

    /// <summary><c>VIR_DOMAIN_JOB_OPERATION_SAVE</c>.</summary>
    Save = 2,

    /// <summary><c>VIR_DOMAIN_JOB_OPERATION_RESTORE</c>.</summary>
    Restore = 3,

    /// <summary><c>VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN</c>.</summary>
    MigrationIn = 4,

    /// <summary><c>VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT</c>.</summary>
    MigrationOut = 5,

    /// <summary><c>VIR_DOMAIN_JOB_OPERATION_SNAPSHOT</c>.</summary>
    Snapshot = 6,

    /// <summary><c>VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_REVERT</c>.</summary>
    SnapshotRevert = 7,

    /// <summary><c>VIR_DOMAIN_JOB_OPERATION_DUMP</c>.</summary>
    Dump = 8,

    /// <summary><c>VIR_DOMAIN_JOB_OPERATION_BACKUP</c>.</summary>
    Backup = 9,

    /// <summary><c>VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_DELETE</c>.</summary>
    SnapshotDelete = 10,
}

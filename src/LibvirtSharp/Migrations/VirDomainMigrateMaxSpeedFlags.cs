namespace LibvirtSharp;

/// <summary>Which of a migration's two bandwidth limits is meant. Stands for C's <c>virDomainMigrateMaxSpeedFlags</c>.</summary>
[Flags]
public enum VirDomainMigrateMaxSpeedFlags : uint
{
    /// <summary>No flag: the default.</summary>
    None = 0,

    /// <summary><c>VIR_DOMAIN_MIGRATE_MAX_SPEED_POSTCOPY</c>: the limit of the post-copy phase.</summary>
    Postcopy = 1u << 0,
}

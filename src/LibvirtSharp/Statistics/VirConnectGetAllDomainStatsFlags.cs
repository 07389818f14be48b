namespace LibvirtSharp;

/// <summary>Which domains to report on and how long to wait for them. Stands for C's <c>virConnectGetAllDomainStatsFlags</c>.</summary>
[Flags]
public enum VirConnectGetAllDomainStatsFlags : uint
{
    /// <summary>No flag: the default.</summary>
    None = 0,

    /// <summary><c>VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE</c>.</summary>
    Active = 1u << 0,

    /// <summary><c>VIR_CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE</c>.</summary>
    Inactive = 1u << 1,

    /// <summary><c>VIR_CONNECT_GET_ALL_DOMAINS_STATS_PERSISTENT</c>.</summary>
    Persistent = 1u << 2,

    /// <summary><c>VIR_CONNECT_GET_ALL_DOMAINS_STATS_TRANSIENT</c>.</summary>
    Transient = 1u << 3,

    /// <summary><c>VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING</c>.</summary>
    Running = 1u << 4,

    /// <summary><c>VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED</c>.</summary>
    Paused = 1u << 5,

    /// <summary><c>VIR_CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF</c>.</summary>
    Shutoff = 1u << 6,

    /// <summary><c>VIR_CONNECT_GET_ALL_DOMAINS_STATS_OTHER</c>.</summary>
    Other = 1u << 7,

    /// <summary><c>VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT</c>: what would have to wait for a busy domain is left out.</summary>
    Nowait = 1u << 29,

    /// <summary><c>VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING</c>: disks with their whole backing chains.</summary>
    Backing = 1u << 30,

    /// <summary><c>VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS</c>: a group that is not supported is an error.</summary>
    EnforceStats = 1u << 31,
}

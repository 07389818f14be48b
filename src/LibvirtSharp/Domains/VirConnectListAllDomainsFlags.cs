namespace LibvirtSharp;

/// <summary>
/// Which domains to list. Flags fall into groups (active or not, persistent or not, ...): those of one group add, groups narrow each
/// other, a group without a flag does not.
/// Stands for C's <c>virConnectListAllDomainsFlags</c>.
/// </summary>
[Flags]
public enum VirConnectListAllDomainsFlags : uint
{
    /// <summary>No flag: the default.</summary>
    None = 0,

    /// <summary><c>VIR_CONNECT_LIST_DOMAINS_ACTIVE</c>.</summary>
    Active = 1u << 0,

    /// <summary><c>VIR_CONNECT_LIST_DOMAINS_INACTIVE</c>.</summary>
    Inactive = 1u << 1,

    /// <summary><c>VIR_CONNECT_LIST_DOMAINS_PERSISTENT</c>.</summary>
    Persistent = 1u << 2,

    /// <summary><c>VIR_CONNECT_LIST_DOMAINS_TRANSIENT</c>.</summary>
    Transient = 1u << 3,

    /// <summary><c>VIR_CONNECT_LIST_DOMAINS_RUNNING</c>.</summary>
    Running = 1u << 4,

    /// <summary><c>VIR_CONNECT_LIST_DOMAINS_PAUSED</c>.</summary>
    Paused = 1u << 5,

    /// <summary><c>VIR_CONNECT_LIST_DOMAINS_SHUTOFF</c>.</summary>
    Shutoff = 1u << 6,

    /// <summary><c>VIR_CONNECT_LIST_DOMAINS_OTHER</c>.</summary>
    Other = 1u << 7,

    /// <summary><c>VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE</c>.</summary>
    Managedsave = 1u << 8,

    /// <summary><c>VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE</c>.</summary>
    NoManagedsave = 1u << 9,

    /// <summary><c>VIR_CONNECT_LIST_DOMAINS_AUTOSTART</c>.</summary>
    Autostart = 1u << 10,

    /// <summary><c>VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART</c>.</summary>
    NoAutostart = 1u << 11,

    /// <summary><c>VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT</c>.</summary>
    HasSnapshot = 1u << 12,

    /// <summary><c>VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT</c>.</summary>
    NoSnapshot = 1u << 13,

    /// <summary><c>VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT</c>.</summary>
    HasCheckpoint = 1u << 14,

    /// <summary><c>VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT</c>.</summary>
    NoCheckpoint = 1u << 15,
}

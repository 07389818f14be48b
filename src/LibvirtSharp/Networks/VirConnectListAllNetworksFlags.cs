namespace LibvirtSharp;

/// <summary>
/// Which networks to list; flags of one pair add, pairs narrow each other.
/// Stands for C's <c>virConnectListAllNetworksFlags</c>.
/// </summary>
[Flags]
public enum VirConnectListAllNetworksFlags : uint
{
    /// <summary>No flag: the default.</summary>
    None = 0,

    /// <summary><c>VIR_CONNECT_LIST_NETWORKS_INACTIVE</c>.</summary>
    Inactive = 1u << 0,

    /// <summary><c>VIR_CONNECT_LIST_NETWORKS_ACTIVE</c>.</summary>
    Active = 1u << 1,

    /// <summary><c>VIR_CONNECT_LIST_NETWORKS_PERSISTENT</c>.</summary>
    Persistent = 1u << 2,

    /// <summary><c>VIR_CONNECT_LIST_NETWORKS_TRANSIENT</c>.</summary>
    Transient = 1u << 3,

    /// <summary><c>VIR_CONNECT_LIST_NETWORKS_AUTOSTART</c>.</summary>
    Autostart = 1u << 4,

    /// <summary><c>VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART</c>.</summary>
    NoAutostart = 1u << 5,
}

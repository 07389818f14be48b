namespace LibvirtSharp;

/// <summary>How a connection is opened. Stands for C's <c>virConnectFlags</c>.</summary>
[Flags]
public enum VirConnectFlags : uint
{
    /// <summary>No flag: the default.</summary>
    None = 0,

    /// <summary><c>VIR_CONNECT_RO</c>: only calls that change nothing are allowed.</summary>
    Ro = 1u << 0,

    /// <summary><c>VIR_CONNECT_NO_ALIASES</c>: the URI is taken as it is, not as an alias from the client's configuration.</summary>
    NoAliases = 1u << 1,
}

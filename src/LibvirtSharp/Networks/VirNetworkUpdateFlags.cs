namespace LibvirtSharp;

/// <summary>Which of a network's two definitions is changed. Stands for C's <c>virNetworkUpdateFlags</c>.</summary>
[Flags]
public enum VirNetworkUpdateFlags : uint
{
    /// <summary><c>VIR_NETWORK_UPDATE_AFFECT_CURRENT</c>.</summary>
    Current = 0,

    /// <summary><c>VIR_NETWORK_UPDATE_AFFECT_LIVE</c>.</summary>
    Live = 1u << 0,

    /// <summary><c>VIR_NETWORK_UPDATE_AFFECT_CONFIG</c>.</summary>
    Config = 1u << 1,
}

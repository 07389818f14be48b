namespace LibvirtSharp;

/// <summary>
/// Which of a domain's two definitions a change goes to: the one it runs on, the one it will start from, or both.
/// Stands for C's <c>virDomainModificationImpact</c>.
/// </summary>
[Flags]
public enum VirDomainModificationImpact : uint
{
    /// <summary><c>VIR_DOMAIN_AFFECT_CURRENT</c>: the live one when it runs, the stored one otherwise.</summary>
    Current = 0,

    /// <summary><c>VIR_DOMAIN_AFFECT_LIVE</c>: the one it runs on.</summary>
    Live = 1u << 0,

    /// <summary><c>VIR_DOMAIN_AFFECT_CONFIG</c>: the one it will start from.</summary>
    Config = 1u << 1,
}

namespace LibvirtSharp;

/// <summary>Which memory size is meant. Stands for C's <c>virDomainMemoryModFlags</c>.</summary>
[Flags]
public enum VirDomainMemoryModFlags : uint
{
    /// <summary><c>VIR_DOMAIN_MEM_CURRENT</c>: live when it runs, stored otherwise.</summary>
    Current = 0,

    /// <summary><c>VIR_DOMAIN_MEM_LIVE</c>: of the running domain.</summary>
    Live = 1u << 0,

    /// <summary><c>VIR_DOMAIN_MEM_CONFIG</c>: of the stored definition.</summary>
    Config = 1u << 1,

    /// <summary><c>VIR_DOMAIN_MEM_MAXIMUM</c>: the most it may have, not what it has.</summary>
    Maximum = 1u << 2,
}

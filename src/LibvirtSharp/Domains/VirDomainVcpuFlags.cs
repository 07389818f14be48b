namespace LibvirtSharp;

/// <summary>Which vCPU count is meant. Stands for C's <c>virDomainVcpuFlags</c>.</summary>
[Flags]
public enum VirDomainVcpuFlags : uint
{
    /// <summary><c>VIR_DOMAIN_VCPU_CURRENT</c>: live when it runs, stored otherwise.</summary>
    Current = 0,

    /// <summary><c>VIR_DOMAIN_VCPU_LIVE</c>: of the running domain.</summary>
    Live = 1u << 0,

    /// <summary><c>VIR_DOMAIN_VCPU_CONFIG</c>: of the stored definition.</summary>
    Config = 1u << 1,

    /// <summary><c>VIR_DOMAIN_VCPU_MAXIMUM</c>: the most it may have, not the ones it has.</summary>
    Maximum = 1u << 2,

    /// <summary><c>VIR_DOMAIN_VCPU_GUEST</c>: as the guest's agent sees it.</summary>
    Guest = 1u << 3,

    /// <summary><c>VIR_DOMAIN_VCPU_HOTPLUGGABLE</c>: vCPUs added can be taken away again.</summary>
    Hotpluggable = 1u << 4,
}

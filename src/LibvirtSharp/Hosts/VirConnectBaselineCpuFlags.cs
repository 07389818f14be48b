namespace LibvirtSharp;

/// <summary>How the CPU common to several hosts is computed. Stands for C's <c>virConnectBaselineCPUFlags</c>.</summary>
[Flags]
public enum VirConnectBaselineCpuFlags : uint
{
    /// <summary>No flag: the default.</summary>
    None = 0,

    /// <summary><c>VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES</c>: the answer lists every feature, those of the model too.</summary>
    ExpandFeatures = 1u << 0,

    /// <summary><c>VIR_CONNECT_BASELINE_CPU_MIGRATABLE</c>: features that hinder migration are left out.</summary>
    Migratable = 1u << 1,
}

namespace LibvirtSharp;

/// <summary>How a wanted CPU relates to a host's. Stands for C's <c>virCPUCompareResult</c>.</summary>
public enum VirCpuCompareResult
{
    /// <summary><c>VIR_CPU_COMPARE_ERROR</c>.</summary>
    Error = -1,

    /// <summary><c>VIR_CPU_COMPARE_INCOMPATIBLE</c>: the host lacks something.</summary>
    Incompatible = 0,

    /// <summary><c>VIR_CPU_COMPARE_IDENTICAL</c>: the host's is the same.</summary>
    Identical = 1,

    /// <summary><c>VIR_CPU_COMPARE_SUPERSET</c>: the host's has all of it and more.</summary>
    Superset = 2,
}

namespace LibvirtSharp;

/// <summary>How CPUs are compared. Stands for C's <c>virConnectCompareCPUFlags</c>.</summary>
[Flags]
public enum VirConnectCompareCpuFlags : uint
{
    /// <summary>No flag: the default.</summary>
    None = 0,

    /// <summary><c>VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE</c>: incompatible is an error that names what is missing, instead of a
    /// result.</summary>
    FailIncompatible = 1u << 0,

    /// <summary><c>VIR_CONNECT_COMPARE_CPU_VALIDATE_XML</c>: the XML must match its schema.</summary>
    ValidateXml = 1u << 1,
}

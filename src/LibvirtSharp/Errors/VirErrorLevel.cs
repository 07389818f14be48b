namespace LibvirtSharp;

/// <summary>How bad an error is. Stands for C's <c>virErrorLevel</c>.</summary>
public enum VirErrorLevel
{
    /// <summary><c>VIR_ERR_NONE</c>.</summary>
    None = 0,

    /// <summary><c>VIR_ERR_WARNING</c>.</summary>
    Warning = 1,

    /// <summary><c>VIR_ERR_ERROR</c>.</summary>
    Error = 2,
}

namespace LibvirtSharp;

/// <summary>How a definition is taken. Stands for C's <c>virDomainDefineFlags</c>.</summary>
[Flags]
public enum VirDomainDefineFlags : uint
{
    /// <summary>No flag: the default.</summary>
    None = 0,

    /// <summary><c>VIR_DOMAIN_DEFINE_VALIDATE</c>: the XML must match its schema.</summary>
    Validate = 1u << 0,
}

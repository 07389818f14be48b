namespace LibvirtSharp;

/// <summary>Which of a domain's descriptions is wanted. Stands for C's <c>virDomainXMLFlags</c>.</summary>
[Flags]
public enum VirDomainXmlFlags : uint
{
    /// <summary>No flag: the default.</summary>
    None = 0,

    /// <summary><c>VIR_DOMAIN_XML_SECURE</c>: with passwords; not on a read-only connection.</summary>
    Secure = 1u << 0,

    /// <summary><c>VIR_DOMAIN_XML_INACTIVE</c>: what it will start from, instead of what it runs on.</summary>
    Inactive = 1u << 1,

    /// <summary><c>VIR_DOMAIN_XML_UPDATE_CPU</c>: with the CPU as this host would provide it.</summary>
    UpdateCpu = 1u << 2,

    /// <summary><c>VIR_DOMAIN_XML_MIGRATABLE</c>: as another host's libvirt can take it.</summary>
    Migratable = 1u << 3,
}

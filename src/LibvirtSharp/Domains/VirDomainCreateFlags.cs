namespace LibvirtSharp;

/// <summary>How a domain is started. Stands for C's <c>virDomainCreateFlags</c>.</summary>
[Flags]
public enum VirDomainCreateFlags : uint
{
    /// <summary><c>VIR_DOMAIN_NONE</c>: the default.</summary>
    None = 0,

    /// <summary><c>VIR_DOMAIN_START_PAUSED</c>: its vCPUs wait for a resume.</summary>
    Paused = 1u << 0,

    /// <summary><c>VIR_DOMAIN_START_AUTODESTROY</c>: it is stopped by force when this connection closes.</summary>
    Autodestroy = 1u << 1,

    /// <summary><c>VIR_DOMAIN_START_BYPASS_CACHE</c>: a saved memory image is read past the page cache.</summary>
    BypassCache = 1u << 2,

    /// <summary><c>VIR_DOMAIN_START_FORCE_BOOT</c>: a managed save image is thrown away.</summary>
    ForceBoot = 1u << 3,

    /// <summary><c>VIR_DOMAIN_START_VALIDATE</c>: the XML must match its schema.</summary>
    Validate = 1u << 4,

    /// <summary><c>VIR_DOMAIN_START_RESET_NVRAM</c>: the firmware's variables start from their template.</summary>
    ResetNvram = 1u << 5,
}

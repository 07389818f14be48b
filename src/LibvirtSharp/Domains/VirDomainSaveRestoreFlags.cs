namespace LibvirtSharp;

/// <summary>How a domain's memory is saved and restored. Stands for C's <c>virDomainSaveRestoreFlags</c>.</summary>
[Flags]
public enum VirDomainSaveRestoreFlags : uint
{
    /// <summary>No flag: the default.</summary>
    None = 0,

    /// <summary><c>VIR_DOMAIN_SAVE_BYPASS_CACHE</c>: the file is written past the page cache.</summary>
    BypassCache = 1u << 0,

    /// <summary><c>VIR_DOMAIN_SAVE_RUNNING</c>: it will run after the restore, whatever it did before.</summary>
    Running = 1u << 1,

    /// <summary><c>VIR_DOMAIN_SAVE_PAUSED</c>: it will be paused after the restore, whatever it did before.</summary>
    Paused = 1u << 2,

    /// <summary><c>VIR_DOMAIN_SAVE_RESET_NVRAM</c>: the firmware's variables start from their template.</summary>
    ResetNvram = 1u << 3,
}

namespace LibvirtSharp;

/// <summary>
/// What goes with a domain's definition. libvirt refuses to undefine a domain that has one of these, unless told what to do with it.
/// Stands for C's <c>virDomainUndefineFlagsValues</c>.
/// </summary>
[Flags]
public enum VirDomainUndefineFlags : uint
{
    /// <summary>No flag: the default.</summary>
    None = 0,

    /// <summary><c>VIR_DOMAIN_UNDEFINE_MANAGED_SAVE</c>: its managed save image is removed.</summary>
    ManagedSave = 1u << 0,

    /// <summary><c>VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA</c>: what libvirt knows of its snapshots is forgotten.</summary>
    SnapshotsMetadata = 1u << 1,

    /// <summary><c>VIR_DOMAIN_UNDEFINE_NVRAM</c>: its firmware's variables are removed.</summary>
    Nvram = 1u << 2,

    /// <summary><c>VIR_DOMAIN_UNDEFINE_KEEP_NVRAM</c>: its firmware's variables are kept.</summary>
    KeepNvram = 1u << 3,

    /// <summary><c>VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA</c>: what libvirt knows of its checkpoints is forgotten.</summary>
    CheckpointsMetadata = 1u << 4,

    /// <summary><c>VIR_DOMAIN_UNDEFINE_TPM</c>: its TPM's state is removed.</summary>
    Tpm = 1u << 5,

    /// <summary><c>VIR_DOMAIN_UNDEFINE_KEEP_TPM</c>: its TPM's state is kept.</summary>
    KeepTpm = 1u << 6,
}

namespace LibvirtSharp;

/// <summary>Which definition a device change goes to. Stands for C's <c>virDomainDeviceModifyFlags</c>.</summary>
[Flags]
public enum VirDomainDeviceModifyFlags : uint
{
    /// <summary><c>VIR_DOMAIN_DEVICE_MODIFY_CURRENT</c>: the live one when it runs, the stored one otherwise.</summary>
    Current = 0,

    /// <summary><c>VIR_DOMAIN_DEVICE_MODIFY_LIVE</c>: the one it runs on.</summary>
    Live = 1u << 0,

    /// <summary><c>VIR_DOMAIN_DEVICE_MODIFY_CONFIG</c>: the one it will start from.</summary>
    Config = 1u << 1,

    /// <summary><c>VIR_DOMAIN_DEVICE_MODIFY_FORCE</c>: even when the guest holds it (a locked CD-ROM tray).</summary>
    Force = 1u << 2,
}

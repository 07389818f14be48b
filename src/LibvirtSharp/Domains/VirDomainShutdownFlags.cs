namespace LibvirtSharp;

/// <summary>
/// How the guest is asked to shut down; several flags are tried in an order that libvirt chooses.
/// Stands for C's <c>virDomainShutdownFlagValues</c>.
/// </summary>
[Flags]
public enum VirDomainShutdownFlags : uint
{
    /// <summary><c>VIR_DOMAIN_SHUTDOWN_DEFAULT</c>: the hypervisor chooses.</summary>
    Default = 0,

    /// <summary><c>VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN</c>: by the ACPI power button; a guest may ignore it.</summary>
    AcpiPowerBtn = 1u << 0,

    /// <summary><c>VIR_DOMAIN_SHUTDOWN_GUEST_AGENT</c>: through the guest's agent.</summary>
    GuestAgent = 1u << 1,

    /// <summary><c>VIR_DOMAIN_SHUTDOWN_INITCTL</c>: through init (containers).</summary>
    Initctl = 1u << 2,

    /// <summary><c>VIR_DOMAIN_SHUTDOWN_SIGNAL</c>: by a signal to init (containers).</summary>
    Signal = 1u << 3,

    /// <summary><c>VIR_DOMAIN_SHUTDOWN_PARAVIRT</c>: through the hypervisor's own channel (Xen).</summary>
    Paravirt = 1u << 4,
}

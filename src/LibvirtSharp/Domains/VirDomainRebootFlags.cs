namespace LibvirtSharp;

/// <summary>
/// How the guest is asked to reboot; several flags are tried in an order that libvirt chooses.
/// Stands for C's <c>virDomainRebootFlagValues</c>.
/// </summary>
[Flags]
public enum VirDomainRebootFlags : uint
{
    /// <summary><c>VIR_DOMAIN_REBOOT_DEFAULT</c>: the hypervisor chooses.</summary>
    Default = 0,

    /// <summary><c>VIR_DOMAIN_REBOOT_ACPI_POWER_BTN</c>: by the ACPI power button; a guest may ignore it.</summary>
    AcpiPowerBtn = 1u << 0,

    /// <summary><c>VIR_DOMAIN_REBOOT_GUEST_AGENT</c>: through the guest's agent.</summary>
    GuestAgent = 1u << 1,

    /// <summary><c>VIR_DOMAIN_REBOOT_INITCTL</c>: through init (containers).</summary>
    Initctl = 1u << 2,

    /// <summary><c>VIR_DOMAIN_REBOOT_SIGNAL</c>: by a signal to init (containers).</summary>
    Signal = 1u << 3,

    /// <summary><c>VIR_DOMAIN_REBOOT_PARAVIRT</c>: through the hypervisor's own channel (Xen).</summary>
    Paravirt = 1u << 4,
}

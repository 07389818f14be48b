namespace ControlPlane.Hypervisor.Emulated.Counting;

/// <summary>
/// Why a guest's CPU left the guest (the basic exit reasons of Intel SDM volume 3, appendix C, as far as the model has them). The names of counters
/// follow from these.
/// </summary>
internal enum ExitReason
{
    /// <summary>An exception or an interrupt of the guest that the VMM asked to see; shadow paging asks for page faults.</summary>
    Exception,

    ExternalInterrupt,

    InterruptWindow,

    Cpuid,

    Hlt,

    Invlpg,

    /// <summary>A call of a paravirtual guest.</summary>
    Hypercall,

    /// <summary>MOV to or from CR0, CR3, CR4.</summary>
    ControlRegister,

    IoInstruction,

    MsrAccess,

    ApicAccess,

    /// <summary>The end of an interrupt of which the VMM wants to hear, although the processor carries it out (the EOI-exit bitmap).</summary>
    VirtualizedEoi,

    EptViolation,

    /// <summary>The log of pages that became dirty has no room left.</summary>
    PageModificationLogFull,

    /// <summary>A register of an emulated device in memory space (KVM finds it as an EPT misconfiguration).</summary>
    Mmio,

    /// <summary>Another privileged instruction that the VMM carries out for the guest.</summary>
    PrivilegedInstruction,

    /// <summary>The VMM itself wanted the CPU back.</summary>
    Preemption,

    /// <summary>The guest cannot go on: a fault while it delivers a fault.</summary>
    TripleFault,

    /// <summary>A VM entry that failed at the checks of the guest's state.</summary>
    InvalidGuestState,
}

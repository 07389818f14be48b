using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Cpu;

/// <summary>
/// The virtual-machine control structure of one virtual CPU (Intel SDM volume 3, chapter 25): what is loaded at a VM entry, what is saved
/// and loaded at a VM exit, what makes the guest exit, and why it last did. General registers but SP are the VMM's to save.
/// </summary>
internal sealed class Vmcs
{
    public VmcsGuestState Guest { get; } = new();

    public VmcsHostState Host { get; } = new();

    public VmcsControls Controls { get; } = new();

    public VmExit LastExit { get; set; }

    /// <summary>VMLAUNCH takes a structure that was not launched, VMRESUME one that was.</summary>
    public bool IsLaunched { get; set; }

    /// <summary>Why the last VMLAUNCH or VMRESUME was refused (table 31-1).</summary>
    public VmInstructionError Error { get; set; }
}

internal enum ActivityState
{
    Active,
    Halted,
    Shutdown,
}

/// <summary>The guest-state area (25.4).</summary>
internal sealed class VmcsGuestState
{
    public ushort Rip { get; set; }

    public ushort Rsp { get; set; }

    public ushort Rflags { get; set; } = CpuFlags.Fixed;

    /// <summary>Selectors in the order of their encoding; in real mode the base is sixteen times the selector.</summary>
    public ushort[] Selectors { get; } = new ushort[4];

    public ActivityState Activity { get; set; }

    /// <summary>Interruptibility state, bit 0.</summary>
    public bool BlockedBySti { get; set; }

    /// <summary>Null, or all ones: no shadow structure is linked.</summary>
    public ulong LinkPointer { get; set; } = ulong.MaxValue;
}

/// <summary>The host-state area (25.5): where the VMM goes on after an exit.</summary>
internal sealed class VmcsHostState
{
    public ulong Rip { get; set; } = 0xffff_ffff_8100_0000;

    public ushort CodeSelector { get; set; } = 0x10;

    public ushort TaskSelector { get; set; } = 0x40;
}

/// <summary>VM-execution, VM-exit and VM-entry controls (25.6 to 25.8), as far as the model has them.</summary>
internal sealed class VmcsControls
{
    public bool ExternalInterruptExiting { get; set; } = true;

    public bool InterruptWindowExiting { get; set; }

    public bool HltExiting { get; set; } = true;

    public bool UnconditionalIoExiting { get; set; } = true;

    public bool EnableEpt { get; set; } = true;

    /// <summary>Real mode and unpaged protected mode run as they are.</summary>
    public bool UnrestrictedGuest { get; set; } = true;

    public bool VirtualInterruptDelivery { get; set; }

    public bool ProcessPostedInterrupts { get; set; }

    public bool AcknowledgeInterruptOnExit { get; set; } = true;

    /// <summary>Vectors whose end the VMM wants to hear of (24.6.8), a bit each.</summary>
    public ulong[] EoiExitBitmap { get; } = new ulong[4];

    /// <summary>Instructions until the guest is left; the hardware's timer counts a fraction of the time-stamp counter.</summary>
    public long PreemptionTimer { get; set; }

    /// <summary>VM-entry interruption-information: the external interrupt to be delivered at the next entry; null: none.</summary>
    public byte? Inject { get; set; }
}

/// <summary>The VM-exit information fields (25.9).</summary>
/// <param name="Qualification">Of an I/O instruction: size - 1, direction in bit 3, port from bit 16 on (table 28-5).</param>
/// <param name="IsEntryFailure">Bit 31 of the exit reason: the guest never ran.</param>
internal readonly record struct VmExit(ExitReason Reason, long Qualification, byte InstructionLength, Instruction Instruction, bool IsEntryFailure = false)
{
    public static long IoQualification(in Instruction io, ushort port) =>
        (io.IsWide ? 1L : 0L) | (io.Operation == Operation.In ? 8L : 0L) | ((long)port << 16);

    public ushort Port => (ushort)(Qualification >> 16);

    public bool IsInput => (Qualification & 8) != 0;
}

/// <summary>VM-instruction error numbers (Intel SDM volume 3, 31.4).</summary>
internal enum VmInstructionError
{
    None = 0,
    LaunchOfLaunched = 4,
    ResumeOfNotLaunched = 5,
    InvalidControls = 7,
    InvalidHostState = 8,
}

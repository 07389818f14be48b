using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Cpu;

/// <summary>How a VMM runs a guest's kernel without giving it the machine.</summary>
internal enum Virtualization
{
    /// <summary>VMX: the kernel runs at its own privilege, the control structure says what exits.</summary>
    Hardware,

    /// <summary>The kernel's code is translated block by block into code without sensitive instructions.</summary>
    BinaryTranslation,

    /// <summary>The kernel was changed: it asks the VMM by hypercalls.</summary>
    Paravirtual,

    /// <summary>The kernel runs with less privilege, and what faults is emulated. What does not fault goes wrong (<c>popf</c>).</summary>
    TrapAndEmulate,
}

/// <summary>One way of running the code of a virtual CPU.</summary>
internal interface IExecutionMethod : ICounting
{
    /// <summary>The interrupt flag as the VMM knows it: what decides whether the guest is interrupted.</summary>
    bool InterruptFlag { get; }

    /// <summary>Runs until the guest halts, dies, returns from a handler, or has used up its instructions.</summary>
    ActivityState Run(long instructions);

    /// <summary>Takes the registers of <see cref="VirtualCpu.State"/> as the guest's, its interrupts on or off.</summary>
    void Start(bool interruptFlag);
}

/// <summary>
/// What the model charges, in processor cycles: orders of magnitude from Adams and Agesen, "A Comparison of Software and Hardware Techniques
/// for x86 Virtualization" (ASPLOS 2006), and from later processors' faster exits. For comparing methods, not for predicting a machine.
/// </summary>
internal static class CycleCosts
{
    public const int Instruction = 1;

    /// <summary>A VM exit, its handling in the VMM and the next entry.</summary>
    public const int HardwareExit = 1_500;

    /// <summary>A fault to the VMM, decoding and emulating the instruction, and back.</summary>
    public const int Trap = 3_000;

    /// <summary>A call from translated code into the VMM, which is in the same address space.</summary>
    public const int CallOut = 200;

    /// <summary>One sensitive instruction replaced by plain ones on the virtual state, inside translated code.</summary>
    public const int InTranslation = 10;

    /// <summary>Translating one instruction, once.</summary>
    public const int Translate = 400;

    public const int Hypercall = 800;
}

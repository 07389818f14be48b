using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Cpu;

/// <summary>
/// A guest kernel in ring 3, below the VMM that has ring 0: its segments have the bases that it expects, IOPL is 0, and the processor's own
/// interrupt flag is the host's. The guest's flag is a variable of the VMM.
/// </summary>
internal abstract class DeprivilegedKernel(VirtualCpu cpu, Interpreter interpreter) : IExecutionMethod
{
    private const ushort Unprivileged = CpuFlags.Writable & ~CpuFlags.Interrupt & ~CpuFlags.IoPrivilege;

    public virtual bool InterruptFlag { get; protected set; }

    protected VirtualCpu Cpu => cpu;

    protected Interpreter Interpreter => interpreter;

    protected CpuState State { get; } = cpu.State;

    public virtual void Start(bool interruptFlag)
    {
        InterruptFlag = interruptFlag;
        State.Flags = Native(State.Flags);
    }

    public abstract ActivityState Run(long instructions);

    public abstract void CountInto(CounterSheet sheet);

    /// <summary>The flags as the processor has them in ring 3: arithmetic ones are the guest's, IF is the host's and on.</summary>
    protected static ushort Native(ushort guest) => (ushort)((guest & Unprivileged) | CpuFlags.Fixed | CpuFlags.Interrupt);

    /// <summary>The flags as the guest should see them.</summary>
    protected ushort GuestFlags() => (ushort)(InterruptFlag ? State.Flags | CpuFlags.Interrupt : State.Flags & ~CpuFlags.Interrupt);

    /// <summary>The VMM interrupts the guest when the guest, as the VMM knows it, lets it.</summary>
    protected void DeliverPending()
    {
        if (!cpu.HasPending || State.BlockedBySti || !InterruptFlag || cpu.TakePending() is not { } vector)
            return;
        interpreter.Deliver(vector, GuestFlags());
        InterruptFlag = false;
        cpu.Deliver(vector);
    }

    /// <summary>Does for the guest what the instruction would do at the highest privilege. Not null: the guest does not go on.</summary>
    protected ActivityState? Emulate(in Instruction instruction)
    {
        State.BlockedBySti = false;
        State.Ip += instruction.Length;
        switch (instruction.Operation)
        {
            case Operation.DisableInterrupts:
                InterruptFlag = false;
                break;
            case Operation.EnableInterrupts:
                State.BlockedBySti = !InterruptFlag;
                InterruptFlag = true;
                break;
            case Operation.PushFlags:
                interpreter.Push(GuestFlags());
                break;
            case Operation.PopFlags:
                SetGuestFlags(interpreter.Pop());
                break;
            case Operation.SoftwareInterrupt:
                interpreter.Deliver((byte)instruction.Source.Value, GuestFlags());
                InterruptFlag = false;
                break;
            case Operation.InterruptReturn:
                SetGuestFlags(interpreter.Return());
                break;
            case Operation.Halt:
                return Halt();
            case Operation.In or Operation.Out:
                PortAccess.Carry(cpu, PortAccess.PortOf(instruction, State), instruction.Operation == Operation.In, instruction.IsWide);
                break;
            case Operation.CpuId:
                PortAccess.Identify(State);
                break;
            case Operation.WriteMsr when State[GeneralRegister.Cx] == VmxProcessor.EndOfInterruptMsr:
                cpu.EndOfInterrupt();
                break;
            case Operation.VmCall:
                State[GeneralRegister.Ax] = Hypercalls.NotImplemented;
                break;
            default:
                break;
        }
        return null;
    }

    protected ActivityState? Halt() => InterruptFlag && cpu.HasPending ? null : ActivityState.Halted;

    protected void SetGuestFlags(ushort flags)
    {
        InterruptFlag = (flags & CpuFlags.Interrupt) != 0;
        State.Flags = Native(flags);
    }

    /// <summary>Why the VMM was needed, in the words of exits.</summary>
    protected static ExitReason ReasonFor(Operation operation) => operation switch
    {
        Operation.In or Operation.Out => ExitReason.IoInstruction,
        Operation.Halt => ExitReason.Hlt,
        Operation.CpuId => ExitReason.Cpuid,
        Operation.WriteMsr => ExitReason.MsrAccess,
        Operation.VmCall => ExitReason.Hypercall,
        _ => ExitReason.PrivilegedInstruction,
    };
}

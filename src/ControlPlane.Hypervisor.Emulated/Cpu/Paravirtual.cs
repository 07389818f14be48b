using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Cpu;

/// <summary>The calls of a paravirtual kernel: number in AX, answer in AX (after Xen's: console_io, sched_op, iret, physdev_op).</summary>
internal static class Hypercalls
{
    /// <summary>Writes CX bytes at DS:SI to the console: one call for a whole line.</summary>
    public const ushort ConsoleWrite = 1;

    /// <summary>Lets interrupts in and waits for one.</summary>
    public const ushort Block = 2;

    /// <summary>Goes back to what was interrupted, with the interrupt flag of the frame.</summary>
    public const ushort InterruptReturn = 3;

    /// <summary>-ENOSYS.</summary>
    public const ushort NotImplemented = unchecked((ushort)-38);
}

/// <summary>
/// A kernel that knows its VMM. Its interrupt flag is a byte of a page that both share, so that changing it costs a store and no call; what
/// it cannot do itself it asks for. What it was not rid of still faults.
/// </summary>
internal sealed class Paravirtual(VirtualCpu cpu, Interpreter interpreter, GuestMemory memory) : TrapAndEmulate(cpu, interpreter)
{
    /// <summary>Guest-physical address of the shared interrupt flag; 0: interrupts stay out.</summary>
    public const ushort SharedFlag = 0x500;

    public long Calls { get; private set; }

    public override bool InterruptFlag
    {
        get
        {
            Span<byte> flag = stackalloc byte[1];
            memory.Read(SharedFlag, flag);
            return flag[0] != 0;
        }

        protected set => memory.Write(SharedFlag, [(byte)(value ? 1 : 0)]);
    }

    public override void CountInto(CounterSheet sheet)
    {
        base.CountInto(sheet);
        sheet.Add("cpu", "hypercalls", Calls);
    }

    protected override ActivityState? Sensitive(in Instruction instruction)
    {
        if (instruction.Operation != Operation.VmCall)
            return base.Sensitive(instruction);
        Calls++;
        Cpu.Exit(ExitReason.Hypercall, CycleCosts.Hypercall);
        State.Ip += instruction.Length;
        switch (State[GeneralRegister.Ax])
        {
            case Hypercalls.ConsoleWrite:
                WriteConsole();
                return null;
            case Hypercalls.Block:
                InterruptFlag = true;
                return Halt();
            case Hypercalls.InterruptReturn:
                // The stub that called had saved AX.
                State[GeneralRegister.Ax] = Interpreter.Pop();
                SetGuestFlags(Interpreter.Return());
                return null;
            default:
                State[GeneralRegister.Ax] = Hypercalls.NotImplemented;
                return null;
        }
    }

    private void WriteConsole()
    {
        Span<byte> one = stackalloc byte[1];
        for (var i = 0; i < State[GeneralRegister.Cx]; i++)
        {
            memory.Read(State.Linear(SegmentRegister.Ds, (ushort)(State[GeneralRegister.Si] + i)), one);
            Cpu.Console?.Invoke(one[0]);
        }
        State[GeneralRegister.Ax] = 0;
    }
}

using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Cpu;

/// <summary>
/// The kernel in ring 3 as it is: instructions that fault there are emulated. On x86 that is not enough (Robin and Irvine 2000): PUSHF shows
/// the host's flags and POPF changes IF only where CPL is not above IOPL, and else leaves it alone without a fault (Intel SDM volume 2, POPF).
/// </summary>
internal class TrapAndEmulate(VirtualCpu cpu, Interpreter interpreter) : DeprivilegedKernel(cpu, interpreter)
{
    /// <summary>Faults that the VMM served.</summary>
    public long Traps { get; private set; }

    /// <summary>Times that the guest meant to change its interrupt flag by POPF, and nobody noticed.</summary>
    public long DroppedFlagWrites { get; private set; }

    public override ActivityState Run(long instructions)
    {
        for (; instructions > 0; instructions--)
        {
            if (Cpu.HasReturned)
                return ActivityState.Active;
            DeliverPending();
            var instruction = Interpreter.Fetch();
            if (instruction.Operation == Operation.Undefined)
            {
                Cpu.Exit(ExitReason.TripleFault, CycleCosts.Trap);
                return ActivityState.Shutdown;
            }
            Cpu.CountInstruction();
            if (!instruction.IsSensitive)
                Interpreter.Execute(instruction);
            else if (Sensitive(instruction) is { } stopped)
                return stopped;
        }
        Cpu.Exit(ExitReason.Preemption, CycleCosts.Trap);
        return ActivityState.Active;
    }

    public override void CountInto(CounterSheet sheet)
    {
        sheet.Add("cpu", "emulation-traps", Traps);
        sheet.Add("cpu", "dropped-interrupt-flag-writes", DroppedFlagWrites);
    }

    /// <summary>
    /// CLI, STI, HLT, IN, OUT and WRMSR fault below ring 0. INT faults at a gate of ring 0, IRET at a frame that returns to ring 0.
    /// PUSHF and POPF do not.
    /// </summary>
    protected virtual ActivityState? Sensitive(in Instruction instruction)
    {
        switch (instruction.Operation)
        {
            case Operation.PushFlags:
                Step(instruction);
                Interpreter.Push(State.Flags);
                return null;
            case Operation.PopFlags:
                Step(instruction);
                var wanted = Interpreter.Pop();
                if ((wanted & CpuFlags.Interrupt) != 0 != InterruptFlag)
                    DroppedFlagWrites++;
                State.Flags = Native(wanted);
                return null;
            default:
                Traps++;
                Cpu.Exit(ReasonFor(instruction.Operation), CycleCosts.Trap);
                return Emulate(instruction);
        }
    }

    private void Step(in Instruction instruction)
    {
        State.BlockedBySti = false;
        State.Ip += instruction.Length;
    }
}

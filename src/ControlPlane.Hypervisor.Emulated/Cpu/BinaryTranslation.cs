using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Cpu;

/// <summary>
/// The kernel's code is never run itself: blocks of it are translated when they are first reached, kept, and run in its stead (Adams and
/// Agesen 2006). What is harmless stays as it is; what touches flags works on the guest's virtual ones in line; the rest calls the VMM.
/// </summary>
internal sealed class BinaryTranslation(VirtualCpu cpu, Interpreter interpreter) : DeprivilegedKernel(cpu, interpreter)
{
    private readonly TranslationCache cache = new(interpreter);

    public long CallOuts { get; private set; }

    /// <summary>Sensitive instructions that the translated code did by itself.</summary>
    public long InlinedInstructions { get; private set; }

    public override void Start(bool interruptFlag)
    {
        base.Start(interruptFlag);
        cache.Clear();
    }

    public override ActivityState Run(long instructions)
    {
        while (instructions > 0)
        {
            if (Cpu.HasReturned)
                return ActivityState.Active;
            DeliverPending();
            var block = cache.Find(State.Linear(SegmentRegister.Cs, State.Ip), out var translated);
            Cpu.Charge(translated * CycleCosts.Translate);
            if (RunBlock(block, ref instructions) is { } stopped)
                return stopped;
        }
        Cpu.Exit(ExitReason.Preemption, CycleCosts.CallOut);
        return ActivityState.Active;
    }

    public override void CountInto(CounterSheet sheet)
    {
        sheet.Add("cpu", "call-outs", CallOuts);
        sheet.Add("cpu", "inlined-sensitive-instructions", InlinedInstructions);
        cache.CountInto(sheet);
    }

    private ActivityState? RunBlock(Instruction[] block, ref long instructions)
    {
        foreach (ref readonly var instruction in block.AsSpan())
        {
            // Something in the block has let an interrupt in: it ends here, and the loop delivers.
            if (Cpu.HasPending && InterruptFlag && !State.BlockedBySti)
                return null;
            if (instruction.Operation == Operation.Undefined)
            {
                Cpu.Exit(ExitReason.TripleFault, CycleCosts.CallOut);
                return ActivityState.Shutdown;
            }
            instructions--;
            Cpu.CountInstruction();
            if (instruction.IsSensitive)
            {
                if (Sensitive(instruction) is { } stopped)
                    return stopped;
                continue;
            }
            Interpreter.Execute(instruction);
            // The guest wrote over code: what was made of it is thrown away, this block included.
            if (Interpreter.LastStore >= 0 && cache.Invalidate(Interpreter.LastStore))
                return null;
        }
        return null;
    }

    private ActivityState? Sensitive(in Instruction instruction)
    {
        if (ReasonFor(instruction.Operation) is var reason && reason != ExitReason.PrivilegedInstruction)
        {
            CallOuts++;
            Cpu.Exit(reason, CycleCosts.CallOut);
        }
        else
        {
            InlinedInstructions++;
            Cpu.Charge(CycleCosts.InTranslation);
        }
        return Emulate(instruction);
    }
}

using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Cpu;

/// <summary>The VMM's loop over a processor with VMX: enter, see why the guest came out, do that for it, enter again.</summary>
internal sealed class HardwareAssist(VirtualCpu cpu, Interpreter interpreter) : IExecutionMethod
{
    private readonly VmxProcessor processor = new(cpu, interpreter);

    public Vmcs Vmcs { get; } = new() { Controls = { VirtualInterruptDelivery = true, ProcessPostedInterrupts = true } };

    /// <summary>The guest's own: the hardware gave it one.</summary>
    public bool InterruptFlag => (Vmcs.Guest.Rflags & CpuFlags.Interrupt) != 0;

    public void Start(bool interruptFlag)
    {
        var guest = Vmcs.Guest;
        cpu.State.InterruptFlag = interruptFlag;
        (guest.Rip, guest.Rsp, guest.Rflags) = (cpu.State.Ip, cpu.State[GeneralRegister.Sp], cpu.State.Flags);
        (guest.BlockedBySti, guest.Activity) = (cpu.State.BlockedBySti, ActivityState.Active);
        for (var segment = 0; segment < guest.Selectors.Length; segment++)
            guest.Selectors[segment] = cpu.State[(SegmentRegister)segment];
        Vmcs.IsLaunched = false;
    }

    public ActivityState Run(long instructions)
    {
        Vmcs.Controls.PreemptionTimer = instructions;
        while (true)
        {
            PrepareInterrupts();
            if (processor.Enter(Vmcs, Vmcs.IsLaunched) is not { } exit)
            {
                return Vmcs.Error == VmInstructionError.None
                    ? ActivityState.Active
                    : throw new InvalidOperationException($"The VM entry was refused: {Vmcs.Error}.");
            }
            cpu.Exit(exit.Reason, CycleCosts.HardwareExit);
            if (Handle(exit) is { } activity)
                return activity;
        }
    }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("cpu", "vm-entries", processor.Entries);
        sheet.Add("cpu", "virtualized-eois", processor.VirtualizedEois);
    }

    /// <summary>Without virtual-interrupt delivery the VMM injects one at the entry, or asks to be told when the guest is ready for it.</summary>
    private void PrepareInterrupts()
    {
        var controls = Vmcs.Controls;
        if (controls.VirtualInterruptDelivery)
            return;
        if (InterruptFlag && !Vmcs.Guest.BlockedBySti)
            controls.Inject = cpu.TakePending();
        controls.InterruptWindowExiting = cpu.HasPending;
    }

    /// <returns>Null: the guest goes on.</returns>
    private ActivityState? Handle(in VmExit exit)
    {
        switch (exit.Reason)
        {
            case ExitReason.Preemption:
                return ActivityState.Active;
            case ExitReason.TripleFault or ExitReason.InvalidGuestState:
                return ActivityState.Shutdown;
            case ExitReason.InterruptWindow:
                return null;
            case ExitReason.IoInstruction:
                PortAccess.Carry(cpu, exit.Port, exit.IsInput, exit.Instruction.IsWide);
                break;
            case ExitReason.Cpuid:
                PortAccess.Identify(cpu.State);
                break;
            case ExitReason.VirtualizedEoi:
                cpu.EndOfInterrupt();
                break;
            case ExitReason.MsrAccess when cpu.State[GeneralRegister.Cx] == VmxProcessor.EndOfInterruptMsr:
                cpu.EndOfInterrupt();
                break;
            case ExitReason.Hypercall:
                cpu.State[GeneralRegister.Ax] = Hypercalls.NotImplemented;
                break;
            default:
                break;
        }
        cpu.State.Ip = Vmcs.Guest.Rip += exit.InstructionLength;
        cpu.State.BlockedBySti = Vmcs.Guest.BlockedBySti = false;
        return exit.Reason == ExitReason.Hlt && !(InterruptFlag && cpu.HasPending) ? ActivityState.Halted : null;
    }
}

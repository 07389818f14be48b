using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Cpu;

/// <summary>A processor with VMX: it enters a guest as the control structure says, runs it, and leaves it for a reason that it writes there.</summary>
internal sealed class VmxProcessor(VirtualCpu cpu, Interpreter interpreter)
{
    /// <summary>The x2APIC's end-of-interrupt register.</summary>
    public const ushort EndOfInterruptMsr = 0x80b;

    private readonly CpuState state = cpu.State;

    public long Entries { get; private set; }

    /// <summary>EOIs that virtual-interrupt delivery carried out without an exit (30.1.4).</summary>
    public long VirtualizedEois { get; private set; }

    /// <summary>VMLAUNCH or VMRESUME. Null: refused, and the structure says why, or the time of the model stands still before the guest exits.</summary>
    public VmExit? Enter(Vmcs vmcs, bool resume)
    {
        vmcs.Error = Refuse(vmcs, resume);
        if (vmcs.Error != VmInstructionError.None)
            return null;
        if (!VmEntryChecks.GuestStateIsValid(vmcs.Guest, vmcs.Controls))
            return vmcs.LastExit = new VmExit(ExitReason.InvalidGuestState, 0, 0, default, IsEntryFailure: true);
        vmcs.IsLaunched = true;
        Entries++;
        Load(vmcs.Guest);
        if (vmcs.Controls.Inject is { } vector)
        {
            vmcs.Controls.Inject = null;
            DeliverEvent(vector);
        }
        var exit = Run(vmcs.Controls);
        Save(vmcs.Guest);
        if (exit is { } left)
            vmcs.LastExit = left;
        return exit;
    }

    /// <summary>An interrupt through the guest's own table; the handler starts with interrupts off.</summary>
    public void DeliverEvent(byte vector)
    {
        interpreter.Deliver(vector, state.Flags);
        state.InterruptFlag = false;
        cpu.Deliver(vector);
    }

    private static VmInstructionError Refuse(Vmcs vmcs, bool resume)
    {
        if (resume != vmcs.IsLaunched)
            return resume ? VmInstructionError.ResumeOfNotLaunched : VmInstructionError.LaunchOfLaunched;
        if (!VmEntryChecks.ControlsAreValid(vmcs.Controls))
            return VmInstructionError.InvalidControls;
        return VmEntryChecks.HostStateIsValid(vmcs.Host) ? VmInstructionError.None : VmInstructionError.InvalidHostState;
    }

    private VmExit? Run(VmcsControls controls)
    {
        while (true)
        {
            if (cpu.HasReturned)
                return null;
            if (state.InterruptFlag && !state.BlockedBySti)
            {
                // Virtual interrupts are taken by the processor itself (30.2.2); without them the VMM asked to be told when it can inject.
                if (controls.VirtualInterruptDelivery && cpu.TakePending() is { } vector)
                    DeliverEvent(vector);
                else if (controls.InterruptWindowExiting)
                    return new VmExit(ExitReason.InterruptWindow, 0, 0, default);
            }
            if (controls.PreemptionTimer-- <= 0)
                return new VmExit(ExitReason.Preemption, 0, 0, default);
            var instruction = interpreter.Fetch();
            if (instruction.Operation == Operation.Undefined)
                return new VmExit(ExitReason.TripleFault, 0, 0, instruction);
            cpu.CountInstruction();
            if (!instruction.IsSensitive)
                interpreter.Execute(instruction);
            else if (Privileged(instruction, controls) is { } exit)
                return exit;
        }
    }

    /// <summary>In non-root operation most of the sensitive instructions work on the guest's own state; the controls say which do not.</summary>
    private VmExit? Privileged(in Instruction instruction, VmcsControls controls)
    {
        var reason = instruction.Operation switch
        {
            Operation.Halt when controls.HltExiting => ExitReason.Hlt,
            Operation.In or Operation.Out when controls.UnconditionalIoExiting => ExitReason.IoInstruction,
            Operation.CpuId => ExitReason.Cpuid,
            Operation.VmCall => ExitReason.Hypercall,
            Operation.WriteMsr when !(controls.VirtualInterruptDelivery && state[GeneralRegister.Cx] == EndOfInterruptMsr) => ExitReason.MsrAccess,
            Operation.WriteMsr when IsHeard(controls, cpu.Serving) => ExitReason.VirtualizedEoi,
            _ => (ExitReason?)null,
        };
        if (reason is { } left)
        {
            var port = instruction.Operation is Operation.In or Operation.Out ? PortAccess.PortOf(instruction, state) : (ushort)0;
            return new VmExit(left, VmExit.IoQualification(instruction, port), instruction.Length, instruction);
        }
        state.BlockedBySti = false;
        state.Ip += instruction.Length;
        switch (instruction.Operation)
        {
            case Operation.DisableInterrupts:
                state.InterruptFlag = false;
                break;
            case Operation.EnableInterrupts:
                state.BlockedBySti = !state.InterruptFlag;
                state.InterruptFlag = true;
                break;
            case Operation.PushFlags:
                interpreter.Push(state.Flags);
                break;
            case Operation.PopFlags:
                state.Flags = (ushort)((interpreter.Pop() & CpuFlags.Writable) | CpuFlags.Fixed);
                break;
            case Operation.SoftwareInterrupt:
                interpreter.Deliver((byte)instruction.Source.Value, state.Flags);
                state.InterruptFlag = false;
                break;
            case Operation.InterruptReturn:
                state.Flags = (ushort)((interpreter.Return() & CpuFlags.Writable) | CpuFlags.Fixed);
                break;
            case Operation.WriteMsr:
                VirtualizedEois++;
                cpu.EndOfInterrupt();
                break;
            default:
                throw new NotSupportedException($"{instruction.Operation} must exit: the model has no guest that owns the machine.");
        }
        return null;
    }

    private static bool IsHeard(VmcsControls controls, byte vector) => (controls.EoiExitBitmap[vector >> 6] & (1UL << (vector & 63))) != 0;

    private void Load(VmcsGuestState guest)
    {
        (state.Ip, state[GeneralRegister.Sp], state.Flags, state.BlockedBySti) = (guest.Rip, guest.Rsp, guest.Rflags, guest.BlockedBySti);
        for (var segment = 0; segment < guest.Selectors.Length; segment++)
            state[(SegmentRegister)segment] = guest.Selectors[segment];
    }

    private void Save(VmcsGuestState guest)
    {
        (guest.Rip, guest.Rsp, guest.Rflags, guest.BlockedBySti) = (state.Ip, state[GeneralRegister.Sp], state.Flags, state.BlockedBySti);
        for (var segment = 0; segment < guest.Selectors.Length; segment++)
            guest.Selectors[segment] = state[(SegmentRegister)segment];
    }
}

using System.Numerics;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Cpu;

/// <summary>
/// A guest's boot processor and the small VMM that runs it: instructions come from guest memory, port accesses go to the devices in the map,
/// interrupts are delivered when the guest lets them.
/// </summary>
internal sealed class VirtualCpu : ICounting
{
    /// <summary>A guest that neither halts nor exits gives the CPU back after so many instructions.</summary>
    public const long Slice = 200_000;

    /// <summary>Interrupt requests by vector, as the virtual APIC page holds them (IRR).</summary>
    private readonly ulong[] requested = new ulong[4];
    private readonly ExitCounters exits;
    private readonly IExecutionMethod method;
    private (ushort Segment, ushort Offset, ushort Stack)? returnsTo;
    private bool running;

    public VirtualCpu(GuestMemory memory, PortMap ports, ExitCounters exits, Virtualization virtualization)
    {
        (Ports, this.exits, Virtualization) = (ports, exits, virtualization);
        var interpreter = new Interpreter(State, memory);
        method = virtualization switch
        {
            Virtualization.BinaryTranslation => new BinaryTranslation(this, interpreter),
            Virtualization.Paravirtual => new Paravirtual(this, interpreter, memory),
            Virtualization.TrapAndEmulate => new TrapAndEmulate(this, interpreter),
            _ => new HardwareAssist(this, interpreter),
        };
    }

    public CpuState State { get; } = new();

    public PortMap Ports { get; }

    public Virtualization Virtualization { get; }

    public ActivityState Activity { get; private set; } = ActivityState.Shutdown;

    /// <summary>True while the guest's programs keep the CPU busy, so that an interrupt finds it in the guest rather than halted.</summary>
    public bool IsBusy { get; set; }

    /// <summary>The guest's control structure, where the hardware has one.</summary>
    public Vmcs? Vmcs => (method as HardwareAssist)?.Vmcs;

    public bool InterruptFlag => method.InterruptFlag;

    public bool HasPending => (requested[0] | requested[1] | requested[2] | requested[3]) != 0;

    /// <summary>Takes what a paravirtual guest writes to its console.</summary>
    public Action<byte>? Console { get; set; }

    /// <summary>Set to see the exits one by one, in order.</summary>
    public List<ExitReason>? Trace { get; set; }

    public long Instructions { get; private set; }

    public long DeliveredInterrupts { get; private set; }

    /// <summary>What the guest and its VMM have used, by <see cref="CycleCosts"/>.</summary>
    public long Cycles { get; private set; }

    /// <summary>The vector of the last interrupt that was taken.</summary>
    public byte Serving { get; private set; }

    /// <summary>Told each interrupt when the guest's handler begins.</summary>
    public Action<byte>? Delivered { get; set; }

    /// <summary>The guest has acknowledged an interrupt.</summary>
    public event Action? Acknowledged;

    /// <summary>True once a handler has come back to what was interrupted.</summary>
    public bool HasReturned =>
        returnsTo is { } point && !HasPending && State.Ip == point.Offset && State[SegmentRegister.Cs] == point.Segment && State[GeneralRegister.Sp] == point.Stack;

    /// <summary>Starts the processor at an address with its registers as they are, interrupts off, and runs it.</summary>
    public ActivityState Start(ushort segment, ushort offset)
    {
        State[SegmentRegister.Cs] = segment;
        (State.Ip, State.Flags, State.BlockedBySti) = (offset, CpuFlags.Fixed, false);
        Array.Clear(requested);
        method.Start(interruptFlag: false);
        Activity = ActivityState.Active;
        return Run();
    }

    /// <summary>Goes on where the guest stood on another host.</summary>
    public void TakeOver(VirtualCpu source)
    {
        State.CopyFrom(source.State);
        source.requested.CopyTo(requested, 0);
        method.Start(source.InterruptFlag);
        Activity = source.Activity;
    }

    public ActivityState Run(long instructions = Slice)
    {
        if (Activity != ActivityState.Active || running)
            return Activity;
        running = true;
        Activity = method.Run(instructions);
        running = false;
        return Activity;
    }

    /// <summary>
    /// An interrupt for the guest. One that arrives by the processor's own hands (posted) makes no exit while the guest runs; otherwise the
    /// host's interrupt throws a running guest out first. A halted guest is woken.
    /// </summary>
    public void Interrupt(byte vector, bool posted)
    {
        if (Activity == ActivityState.Shutdown)
            return;
        Request(vector);
        if (IsBusy && !posted && !running)
            Exit(ExitReason.ExternalInterrupt, CycleCosts.HardwareExit);
        Kick();
    }

    /// <summary>Lets the guest take what was requested, if it takes interrupts at all.</summary>
    public void Kick()
    {
        // A device that interrupts while the guest is at one of its ports is heard when the guest goes on.
        if (running || Activity == ActivityState.Shutdown || (Activity == ActivityState.Halted && !InterruptFlag))
            return;
        // A busy guest goes back to its program, which is not ours to run; an idle one to its idle loop, and halts again.
        var goesBack = IsBusy && Activity == ActivityState.Halted;
        returnsTo = goesBack ? (State[SegmentRegister.Cs], State.Ip, State[GeneralRegister.Sp]) : null;
        Activity = ActivityState.Active;
        Run();
        if (goesBack && Activity == ActivityState.Active)
            Activity = ActivityState.Halted;
        returnsTo = null;
    }

    /// <summary>Notes a request without running the guest: it takes it when it next can.</summary>
    public void Request(byte vector) => requested[vector >> 6] |= 1UL << (vector & 63);

    /// <summary>The pending interrupt of highest priority, taken; null: none.</summary>
    public byte? TakePending()
    {
        for (var word = 3; word >= 0; word--)
        {
            if (requested[word] == 0)
                continue;
            var bit = BitOperations.Log2(requested[word]);
            requested[word] &= ~(1UL << bit);
            return (byte)((word << 6) | bit);
        }
        return null;
    }

    public void CountInstruction()
    {
        Instructions++;
        Cycles += CycleCosts.Instruction;
    }

    /// <summary>The processor has taken an interrupt: its handler begins.</summary>
    public void Deliver(byte vector)
    {
        DeliveredInterrupts++;
        Serving = vector;
        Delivered?.Invoke(vector);
    }

    public void Exit(ExitReason reason, int cycles)
    {
        exits.Count(reason);
        Cycles += cycles;
        Trace?.Add(reason);
    }

    public void Charge(int cycles) => Cycles += cycles;

    public void EndOfInterrupt() => Acknowledged?.Invoke();

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("cpu", "instructions", Instructions);
        sheet.Add("cpu", "delivered-interrupts", DeliveredInterrupts);
        sheet.Add("cpu", "guest-and-vmm-cycles", Cycles);
        method.CountInto(sheet);
    }
}

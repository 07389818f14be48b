using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Interrupts;

namespace ControlPlane.Hypervisor.Emulated.Nics;

internal enum InterruptWay
{
    /// <summary>
    /// A message of a device of the VMM's (MSI-X): the VMM brings the CPU out of the guest and injects; it hears of the end of the interrupt, for it may
    /// hold the next back until then.
    /// </summary>
    Injected,

    /// <summary>The same by a level-triggered line, which the device pulls until its driver has read the cause.</summary>
    Line,

    /// <summary>An upcall of a paravirtual guest: injected, but acknowledged in a shared page (Xen: <c>evtchn_pending</c>).</summary>
    Upcall,

    /// <summary>Posted by the interrupt remapping into the running guest, whose local APIC is virtual (VT-d 5.2.5, Intel SDM 3C 30.6).</summary>
    Posted,
}

/// <summary>
/// One interrupt vector of a NIC. The guest's handler runs after what the device is just doing, so that the frames of one burst are one
/// interrupt, if the guest's driver and the device do not make them more.
/// </summary>
/// <param name="vector">Its number in the NIC.</param>
/// <param name="throttle">The least distance between two interrupts (Intel NICs: EITR); zero: none.</param>
/// <param name="handler">The guest's handler.</param>
internal sealed class GuestInterrupt(NicSlot slot, int vector, InterruptWay way, TimeSpan throttle, Action handler)
{
    private Action? run;
    private VmmInterrupt? connected;
    private InterruptTarget? connectedTo;
    private bool pending;
    private bool scheduled;
    private DateTimeOffset next = DateTimeOffset.MinValue;

    /// <summary>The device has something to say. One that the CPU has not taken yet says it already.</summary>
    public void Raise()
    {
        if (pending)
            return;
        pending = true;
        Schedule();
    }

    /// <summary>Raised while the CPU is out of the guest for this very device: the entry that follows injects it.</summary>
    public void RaiseAtEntry()
    {
        pending = true;
        Take(cpuIsOut: true);
    }

    /// <summary>The guest's CPUs run again.</summary>
    public void Resume()
    {
        if (pending)
            Schedule();
    }

    private void Schedule()
    {
        if (scheduled)
            return;
        scheduled = true;
        var now = slot.Clock.Now;
        slot.Clock.Quietly(now > next ? now : next, run ??= Run);
    }

    private void Run()
    {
        scheduled = false;
        Take(cpuIsOut: false);
    }

    private void Take(bool cpuIsOut)
    {
        if (!pending || !slot.GuestRuns)
            return;
        pending = false;
        next = slot.Clock.Now + throttle;
        slot.Signalled?.Invoke(vector);
        if (way != InterruptWay.Posted && slot.Processor is { } processor)
        {
            Inject(processor, cpuIsOut);
            return;
        }
        Serve();
        if (way == InterruptWay.Posted)
            slot.Counters.Count(NicCount.PostedInterrupts);
    }

    /// <summary>The device lets go of its line.</summary>
    public void Lower() => connected?.Lower();

    /// <summary>The guest's own processor takes it. What that makes it leave the guest for is the NIC's doing.</summary>
    private void Inject(InterruptTarget processor, bool cpuIsOut)
    {
        if (processor != connectedTo)
        {
            connected?.Disconnect();
            connectedTo = processor;
            connected = processor.Connect(way == InterruptWay.Line, endIsHeard: way != InterruptWay.Upcall, Serve);
            slot.Emptied += connected.Disconnect;
        }
        var (exits, own) = (slot.GuestExits, slot.Counters[NicCount.Exits]);
        connected!.Raise(cpuIsOut);
        slot.Counters.Count(NicCount.Exits, slot.GuestExits - exits - (slot.Counters[NicCount.Exits] - own));
    }

    private void Serve()
    {
        slot.Counters.Count(NicCount.Interrupts);
        handler();
    }
}

using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Nics;

internal enum InterruptWay
{
    /// <summary>The VMM brings the CPU out of the guest and injects at the next entry; the guest's end-of-interrupt is trapped.</summary>
    Injected,

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
        slot.Counters.Count(NicCount.Interrupts);
        if (way == InterruptWay.Posted)
            slot.Counters.Count(NicCount.PostedInterrupts);
        else if (!cpuIsOut)
            slot.Exit(ExitReason.ExternalInterrupt);
        handler();
        if (way == InterruptWay.Injected)
            slot.Exit(ExitReason.ApicAccess);
    }
}

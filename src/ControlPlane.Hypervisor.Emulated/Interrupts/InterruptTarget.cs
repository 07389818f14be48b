using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Cpu;
using ControlPlane.Hypervisor.Emulated.Iommu;

namespace ControlPlane.Hypervisor.Emulated.Interrupts;

/// <summary>A guest's processor as those see it who interrupt it: the VMM, which injects, and the IOMMU, which posts.</summary>
internal sealed class InterruptTarget : ICounting
{
    private readonly VirtualCpu cpu;
    private readonly Func<bool> runs;
    private byte nextVector = Firmware.FirstMessageVector;

    /// <param name="runs">False while the guest is paused or on its way to another host.</param>
    public InterruptTarget(VirtualCpu cpu, Func<bool> runs)
    {
        (this.cpu, this.runs) = (cpu, runs);
        Posted = new PostedInterruptDescriptor(OnNotification);
    }

    public VirtualCpu Cpu => cpu;

    public PostedInterruptDescriptor Posted { get; }

    public long InjectedInterrupts { get; private set; }

    public long PostedInterrupts { get; private set; }

    /// <summary>Posting needs a processor that takes virtual interrupts by itself.</summary>
    public bool CanBePosted => cpu.Vmcs?.Controls.ProcessPostedInterrupts == true;

    /// <summary>A vector for one more source; when all are given out, sources share.</summary>
    public byte AllocateVector()
    {
        var vector = nextVector;
        nextVector = nextVector == Firmware.LastVector ? Firmware.FirstMessageVector : (byte)(nextVector + 1);
        return vector;
    }

    /// <summary>The VMM interrupts the guest: a running one leaves the guest for it. One that does not run takes it when it does.</summary>
    public void Inject(byte vector)
    {
        InjectedInterrupts++;
        if (runs())
            cpu.Interrupt(vector, posted: false);
        else
            cpu.Request(vector);
    }

    /// <summary>The guest runs again and takes what has come meanwhile.</summary>
    public void Resume()
    {
        Posted.IsSuppressed = false;
        Take();
        if (cpu.HasPending)
            cpu.Kick();
    }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("interrupts", "posted", PostedInterrupts);
        sheet.Add("interrupts", "injected", InjectedInterrupts);
        sheet.Add("interrupts", "notifications", Posted.Notifications);
        sheet.Add("interrupts", "coalesced", Posted.Coalesced);
    }

    private void OnNotification()
    {
        if (runs())
            Take();
        else
            Posted.IsSuppressed = true; // What KVM does when a virtual CPU is scheduled out.
    }

    private void Take() => Posted.Drain(vector =>
    {
        PostedInterrupts++;
        cpu.Interrupt(vector, posted: true);
    });
}

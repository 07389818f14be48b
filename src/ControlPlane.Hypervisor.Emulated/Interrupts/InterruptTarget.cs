using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Cpu;
using ControlPlane.Hypervisor.Emulated.Iommu;

namespace ControlPlane.Hypervisor.Emulated.Interrupts;

/// <summary>A guest's processor as those see it who interrupt it: the VMM, which injects, and the IOMMU, which posts.</summary>
internal sealed class InterruptTarget : ICounting
{
    private readonly VirtualCpu cpu;
    private readonly Func<bool> runs;
    private readonly List<VmmInterrupt> sources = [];

    /// <summary>A bit for each vector from <see cref="Firmware.FirstVector"/> on that is somebody's.</summary>
    private ulong used;
    private int shared;

    /// <param name="runs">False while the guest is paused or on its way to another host.</param>
    public InterruptTarget(VirtualCpu cpu, Func<bool> runs)
    {
        (this.cpu, this.runs) = (cpu, runs);
        Posted = new PostedInterruptDescriptor(OnNotification);
        cpu.Delivered = Serve;
        cpu.Acknowledged += () => End(cpu.Serving);
    }

    public VirtualCpu Cpu => cpu;

    public PostedInterruptDescriptor Posted { get; }

    public long InjectedInterrupts { get; private set; }

    public long PostedInterrupts { get; private set; }

    /// <summary>Posting needs a processor that takes virtual interrupts by itself.</summary>
    public bool CanBePosted => cpu.Vmcs?.Controls.ProcessPostedInterrupts == true;

    /// <summary>A vector for one more source of messages; when all are given out, sources share.</summary>
    public byte AllocateVector() => Allocate(Firmware.FirstMessageVector, Firmware.LastVector);

    public void FreeVector(byte vector) => used &= ~BitOf(vector);

    /// <summary>Connects a device of the VMM's own to a vector of the guest.</summary>
    /// <param name="isLine">It pulls a level-triggered line until the guest has seen to it.</param>
    /// <param name="endIsHeard">Whether the VMM must hear of the end of each interrupt: to look at a line again, or to send what it held back.</param>
    /// <param name="handler">What the guest's driver does with it.</param>
    public VmmInterrupt Connect(bool isLine, bool endIsHeard, Action handler)
    {
        var vector = isLine ? Allocate(Firmware.FirstVector, Firmware.FirstMessageVector - 1) : AllocateVector();
        var source = new VmmInterrupt(this, vector, isLine, handler);
        sources.Add(source);
        if (endIsHeard && cpu.Vmcs is { } vmcs)
            vmcs.Controls.EoiExitBitmap[vector >> 6] |= 1UL << (vector & 63);
        return source;
    }

    public void Disconnect(VmmInterrupt source)
    {
        if (!sources.Remove(source) || sources.Exists(s => s.Vector == source.Vector))
            return;
        FreeVector(source.Vector);
        if (cpu.Vmcs is { } vmcs)
            vmcs.Controls.EoiExitBitmap[source.Vector >> 6] &= ~(1UL << (source.Vector & 63));
    }

    /// <summary>The VMM interrupts the guest: a running one leaves the guest for it. One that does not run takes it when it does.</summary>
    /// <param name="cpuIsOut">The guest is in the VMM already, which lets it take the interrupt before it goes back.</param>
    public void Inject(byte vector, bool cpuIsOut = false)
    {
        InjectedInterrupts++;
        if (cpuIsOut || !runs())
            cpu.Request(vector);
        else
            cpu.Interrupt(vector, posted: false);
        if (cpuIsOut && runs())
            cpu.Kick();
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

    private static ulong BitOf(byte vector) => 1UL << (vector - Firmware.FirstVector);

    private byte Allocate(byte first, byte last)
    {
        var vector = first;
        while (vector < last && (used & BitOf(vector)) != 0)
            vector++;
        if ((used & BitOf(vector)) != 0)
            vector = (byte)(first + (shared++ % (last - first + 1)));
        used |= BitOf(vector);
        return vector;
    }

    /// <summary>The guest's handler of a vector runs; drivers that share it all look at their devices.</summary>
    private void Serve(byte vector)
    {
        for (var i = 0; i < sources.Count; i++)
        {
            if (sources[i].Vector == vector)
                sources[i].Serve();
        }
        // A paravirtual guest ends it in a page that it shares with the VMM, which sees that at the next entry.
        if (cpu.Virtualization == Virtualization.Paravirtual)
            End(vector);
    }

    private void End(byte vector)
    {
        for (var i = 0; i < sources.Count; i++)
        {
            if (sources[i].Vector == vector)
                sources[i].End();
        }
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

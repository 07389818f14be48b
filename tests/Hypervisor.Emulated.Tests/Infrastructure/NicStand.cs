using ControlPlane.Domain.Networks;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Cpu;
using ControlPlane.Hypervisor.Emulated.Interrupts;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Net;
using ControlPlane.Hypervisor.Emulated.Nics;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

/// <summary>One NIC on a bench: a guest's memory, its counters, and both ends of its frames.</summary>
internal sealed class NicStand : IDisposable
{
    public static readonly MacAddress Guest = new(0x5254_0000_0001UL);
    public static readonly MacAddress Other = new(0x5254_0000_0002UL);

    public NicStand()
    {
        Clock = new ModelClock(Time);
        Cpu = new VirtualCpu(Memory, new PortMap(), Exits, Virtualization.Hardware) { IsBusy = true };
        Firmware.Boot(Cpu, Memory, "bench\n");
        Interrupts = new InterruptTarget(Cpu, () => Runs);
        Slot = NewSlot();
    }

    public VirtualTime Time { get; } = new();

    public ModelClock Clock { get; }

    public GuestMemory Memory { get; } = new(16 * 1024 * 1024);

    public VirtualCpu Cpu { get; }

    public InterruptTarget Interrupts { get; }

    public ExitCounters Exits { get; } = new();

    public NicCounters Counters { get; } = new("bench");

    public NicSlot Slot { get; }

    /// <summary>False: the guest's CPUs stand still.</summary>
    public bool Runs { get; set; } = true;

    /// <summary>What reached the guest.</summary>
    public List<Frame> Taken { get; } = [];

    /// <summary>What reached the switch.</summary>
    public List<Frame> Sent { get; } = [];

    public long this[NicCount what] => Counters[what];

    public static Frame NewFrame(byte mark = 1, int bytes = 100) => new(Other, Guest, null, Frame.TrafficType, Enumerable.Repeat(mark, bytes).ToArray());

    public void Send(Frame frame) => Sent.Add(frame with { Payload = frame.Payload.ToArray() });

    public bool Switch(Frame frame)
    {
        Send(frame);
        return true;
    }

    /// <summary>A place in the guest with the same rings as every other.</summary>
    public NicSlot NewSlot() =>
        new(Memory, new DriverMemory(1024 * 1024), Counters, Exits, Clock, () => Runs, () => true, Take) { ProcessorOf = () => Interrupts };

    /// <summary>Lets happen what is due, after so long.</summary>
    public void Settle(double microseconds = 0)
    {
        Time.Advance(TimeSpan.FromMicroseconds(microseconds));
        Clock.Enter().Dispose();
    }

    /// <summary>So many frames each way, one for one; what is due happens after every fifty.</summary>
    public void Exchange(GuestNic nic, int frames)
    {
        for (var n = 0; n < frames; n++)
        {
            nic.Send(NewFrame());
            nic.Receive(NewFrame());
            if (n % 50 == 0)
                Settle();
        }
        Settle();
    }

    public void Dispose() => Clock.Dispose();

    private void Take(Frame frame) => Taken.Add(frame with { Payload = frame.Payload.ToArray() });
}

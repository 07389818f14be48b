using System.Buffers;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Interrupts;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Net;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>A NIC's place in a guest: the memory that it shares with its driver, the CPUs that it interrupts, and who hears what arrived.</summary>
/// <param name="counters">Of all NICs of the kind that the guest has.</param>
/// <param name="exits">The guest's.</param>
/// <param name="guestRuns">False while its CPUs stand still.</param>
/// <param name="deviceRuns">False while the VMM keeps the device from running (the last moment of a migration).</param>
/// <param name="take">What the guest does with a frame that its driver has taken; the payload is lent.</param>
internal sealed class NicSlot(
    GuestMemory memory, DriverMemory rings, NicCounters counters, ExitCounters exits, ModelClock clock, Func<bool> guestRuns, Func<bool> deviceRuns,
    Action<Frame> take)
{
    private bool isEmpty;

    public GuestMemory Memory => memory;

    public DriverMemory Rings => rings;

    public NicCounters Counters => counters;

    public ModelClock Clock => clock;

    public bool GuestRuns => !isEmpty && guestRuns();

    public bool DeviceRuns => !isEmpty && deviceRuns();

    /// <summary>Told each interrupt message that the device sends, with its vector's number in the NIC: where remapping is to be connected.</summary>
    public Action<int>? Signalled { get; init; }

    /// <summary>The guest's, which takes the interrupts of devices of the VMM's own; null: the guest is being built, and its drivers are called at once.</summary>
    public InterruptTarget? Processor => ProcessorOf?.Invoke();

    public Func<InterruptTarget?>? ProcessorOf { get; init; }

    /// <summary>How often the guest's CPU has left the guest, for whatever reason.</summary>
    public long GuestExits => exits.Total;

    /// <summary>Told when the NIC is taken away.</summary>
    public Action? Emptied { get; set; }

    /// <summary>The NIC is gone: what it was about to do does not happen, for its memory may be another's.</summary>
    public void Empty()
    {
        isEmpty = true;
        Emptied?.Invoke();
    }

    /// <summary>The guest's CPU leaves the guest because of the NIC.</summary>
    public void Exit(ExitReason reason)
    {
        exits.Count(reason);
        counters.Count(NicCount.Exits);
    }

    /// <summary>The driver puts a frame into one of its buffers. The guest's own work, and none of the way's copies.</summary>
    public void Store(long address, Frame frame)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(frame.Bytes);
        frame.CopyTo(bytes);
        memory.Write(address, bytes.AsSpan(0, frame.Bytes));
        ArrayPool<byte>.Shared.Return(bytes);
        counters.Count(NicCount.TransmittedFrames);
        counters.Count(NicCount.TransmittedBytes, frame.Bytes);
    }

    /// <summary>The driver hands a frame in its buffers to the guest's stack.</summary>
    public void Take(ReadOnlyMemory<byte> bytes, int segmentBytes = 0)
    {
        counters.Count(NicCount.ReceivedFrames);
        counters.Count(NicCount.ReceivedBytes, bytes.Length);
        if (bytes.Length >= Frame.HeaderBytes)
            take(Frame.Parse(bytes) with { SegmentBytes = segmentBytes });
    }

    /// <summary>The same for a frame in one buffer.</summary>
    public void TakeFrom(long address, int length)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(length);
        memory.Read(address, bytes.AsSpan(0, length));
        Take(bytes.AsMemory(0, length));
        ArrayPool<byte>.Shared.Return(bytes);
    }
}

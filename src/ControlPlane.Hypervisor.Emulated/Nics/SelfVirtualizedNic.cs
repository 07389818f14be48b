using System.Buffers;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Net;

namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>
/// A virtual interface of a self-virtualized device (Raj and Schwan, HPDC 2007). The device has processors of its own: they look into the guest's
/// send queue, fill its receive queue, and do the sorting. The VMM makes the interface, takes it away, and passes the device's signals on.
/// </summary>
internal sealed class SelfVirtualizedNic : GuestNic
{
    private readonly NicSlot slot;
    private readonly Func<Frame, bool> toSwitch;
    private readonly MessageQueue send;
    private readonly MessageQueue receive;
    private readonly GuestInterrupt signal;
    private readonly Action look;
    private bool looking;

    /// <param name="toSwitch">Where frames go. False: not now; the device looks again when <see cref="Look"/> is called.</param>
    public SelfVirtualizedNic(NicSlot slot, Func<Frame, bool> toSwitch)
    {
        (this.slot, this.toSwitch) = (slot, toSwitch);
        look = LookNow;
        send = new MessageQueue(slot.Memory, slot.Rings.RingPage(0));
        receive = new MessageQueue(slot.Memory, slot.Rings.RingPage(1));
        signal = new GuestInterrupt(slot, 0, InterruptWay.Injected, FunctionNic.Throttle, Poll);
        send.Clear();
        receive.Clear();
        // The guest asks its VMM for the interface, once.
        slot.Exit(ExitReason.Hypercall);
    }

    /// <summary>The driver puts a message into the send queue. The device will find it: nobody needs to be told.</summary>
    public override void Send(Frame frame, bool more = false)
    {
        if (send.IsFull || frame.Bytes > DriverMemory.BufferBytes)
        {
            slot.Counters.Count(NicCount.DroppedFrames);
            return;
        }
        var message = send.Produced;
        slot.Store(SendBuffer(message), frame);
        send.SetLength(message, frame.Bytes);
        send.Produced = message + 1;
        Look();
    }

    /// <summary>The device puts a message into the receive queue, and signals if the guest wants that.</summary>
    public override void Receive(Frame frame)
    {
        if (!slot.DeviceRuns || receive.IsFull || frame.Bytes > DriverMemory.BufferBytes)
        {
            slot.Counters.Count(NicCount.DroppedFrames);
            return;
        }
        var message = receive.Produced;
        Span<byte> bytes = stackalloc byte[frame.Bytes];
        frame.CopyTo(bytes);
        slot.Memory.Write(ReceiveBuffer(message), bytes);
        slot.Counters.Count(NicCount.DmaWrites);
        receive.SetLength(message, frame.Bytes);
        receive.Produced = message + 1;
        if (!receive.WantsSignals)
        {
            slot.Counters.Count(NicCount.SuppressedInterrupts);
            return;
        }
        receive.WantsSignals = false;
        slot.Counters.Count(NicCount.HostInterrupts);
        signal.Raise();
    }

    public override void Resume()
    {
        signal.Resume();
        Look();
    }

    /// <summary>The device's processors look into the send queue next.</summary>
    public void Look()
    {
        if (looking)
            return;
        looking = true;
        slot.Clock.Quietly(slot.Clock.Now, look);
    }

    private void LookNow()
    {
        looking = false;
        while (slot.DeviceRuns && !send.IsEmpty && SendOne(send.Consumed))
            send.Consumed++;
    }

    private bool SendOne(uint message)
    {
        // What the guest wrote there is believed as far as it can do no harm.
        var length = Math.Clamp(send.LengthOf(message), Frame.HeaderBytes, DriverMemory.BufferBytes);
        var bytes = ArrayPool<byte>.Shared.Rent(length);
        slot.Memory.Read(SendBuffer(message), bytes.AsSpan(0, length));
        slot.Counters.Count(NicCount.DmaReads);
        var taken = toSwitch(Frame.Parse(bytes.AsMemory(0, length)));
        ArrayPool<byte>.Shared.Return(bytes);
        return taken;
    }

    /// <summary>The driver takes messages until there are none, and only then wants a signal for the next.</summary>
    private void Poll()
    {
        for (; !receive.IsEmpty; receive.Consumed++)
            slot.TakeFrom(ReceiveBuffer(receive.Consumed), receive.LengthOf(receive.Consumed));
        receive.WantsSignals = true;
    }

    private long SendBuffer(uint message) => slot.Rings.TransmitBuffer((int)(message % MessageQueue.Size));

    private long ReceiveBuffer(uint message) => slot.Rings.ReceiveBuffer((int)(message % MessageQueue.Size));
}

using System.Buffers;
using ControlPlane.Hypervisor.Emulated.Net;

namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>
/// A NIC whose frames the hardware has sorted by MAC and VLAN into a queue of the guest's own (Intel: VMDq). No bridge looks at them any more,
/// and what is sent goes from the guest's pages to the wire; but what arrives lies in the VMM's buffers, from which it copies, a queue at a time.
/// </summary>
internal sealed class VmdqNic : GuestNic
{
    private readonly NicSlot slot;
    private readonly NetFront front;
    private readonly NetBack back;
    private readonly Queue<(byte[] Buffer, int Length)> sorted = new();
    private readonly Action serve;
    private bool scheduled;
    private DateTimeOffset next = DateTimeOffset.MinValue;

    public VmdqNic(NicSlot slot, Action<Frame> toSwitch)
    {
        this.slot = slot;
        serve = Serve;
        front = new NetFront(slot);
        back = new NetBack(slot, front.Event, toSwitch, nicReads: true);
        front.Notified = back.Wake;
    }

    public override void Send(Frame frame, bool more = false) => front.Send(frame, more);

    /// <summary>The NIC puts a frame into the queue, by DMA into a buffer of the VMM, and interrupts the host when its throttle lets it.</summary>
    public override void Receive(Frame frame)
    {
        if (sorted.Count == DriverMemory.Frames || frame.Bytes > DriverMemory.BufferBytes)
        {
            slot.Counters.Count(NicCount.DroppedFrames);
            return;
        }
        var buffer = ArrayPool<byte>.Shared.Rent(frame.Bytes);
        frame.CopyTo(buffer);
        slot.Counters.Count(NicCount.DmaWrites);
        sorted.Enqueue((buffer, frame.Bytes));
        if (scheduled)
            return;
        scheduled = true;
        var now = slot.Clock.Now;
        slot.Clock.Quietly(now > next ? now : next, serve);
    }

    public override void Resume() => front.Event.Resume();

    /// <summary>The VMM's handler of the queue's interrupt.</summary>
    private void Serve()
    {
        scheduled = false;
        next = slot.Clock.Now + FunctionNic.Throttle;
        slot.Counters.Count(NicCount.HostInterrupts);
        while (sorted.TryDequeue(out var filled))
        {
            back.Deliver(Frame.Parse(filled.Buffer.AsMemory(0, filled.Length)));
            ArrayPool<byte>.Shared.Return(filled.Buffer);
        }
        back.PublishDelivered();
    }
}

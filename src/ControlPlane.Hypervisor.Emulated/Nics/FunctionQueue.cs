using System.Buffers;
using ControlPlane.Hypervisor.Emulated.Net;

namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>
/// One queue pair of a function in the guest. The driver writes descriptors and, through a page that is the device's own, the tail; the device
/// fetches descriptors and frames by DMA. No exit, no copy by a CPU.
/// </summary>
internal sealed class FunctionQueue
{
    private const int Size = DriverMemory.Frames;

    private readonly NicSlot slot;
    private readonly DmaPort dma;
    private readonly Func<Frame, bool> toSwitch;
    private readonly GuestInterrupt interrupt;

    // The driver's.
    private int transmitTail;
    private int reclaimed;
    private int receiveNext;
    private int large;

    // The device's registers.
    private int transmitHead;
    private int transmitEnd;
    private int receiveHead;
    private int receiveEnd = Size - 1;
    private int segmentBytes;
    private bool fetching;

    /// <param name="vector">The queue pair's MSI-X vector.</param>
    /// <param name="throttle">The device's interrupt throttle (EITR).</param>
    /// <param name="toSwitch">Where frames go. False: not now; the frame stays in the ring until <see cref="Fetch"/> is called again.</param>
    public FunctionQueue(NicSlot slot, DmaPort dma, int vector, TimeSpan throttle, Func<Frame, bool> toSwitch)
    {
        this.slot = slot;
        this.dma = dma;
        this.toSwitch = toSwitch;
        interrupt = new GuestInterrupt(slot, vector, InterruptWay.Posted, throttle, Handle);
        for (var n = 0; n < Size; n++)
        {
            default(Descriptor).Store(slot.Memory, TransmitPlace(n));
            new Descriptor(slot.Rings.ReceiveBuffer(n), 0, 0, 0, 0).Store(slot.Memory, ReceivePlace(n));
        }
    }

    /// <summary>The driver's part of sending.</summary>
    public void Send(Frame frame, bool more)
    {
        Reclaim();
        var descriptors = frame.SegmentBytes > 0 ? 2 : 1;
        var room = frame.SegmentBytes > 0 ? ushort.MaxValue : DriverMemory.BufferBytes;
        if (Free < descriptors || frame.Bytes > room)
        {
            slot.Counters.Count(NicCount.DroppedFrames);
            return;
        }
        var at = slot.Rings.TransmitBuffer(transmitTail);
        if (frame.SegmentBytes > 0)
        {
            at = slot.Rings.LargeBuffer(large++ % DriverMemory.LargeFrames);
            Put(new Descriptor(0, (ushort)frame.Payload.Length, Descriptor.Extension | Descriptor.Segmentation, 0, (ushort)frame.SegmentBytes));
        }
        slot.Store(at, frame);
        Put(new Descriptor(at, (ushort)frame.Bytes, Descriptor.EndOfPacket | Descriptor.ReportStatus, 0, 0));
        if (more && Free > 0)
            return;
        // The tail's page belongs to the function and is mapped into the guest: the write goes there without an exit.
        slot.Counters.Count(NicCount.Doorbells);
        transmitEnd = transmitTail;
        Fetch();
    }

    /// <summary>The device sends what lies between head and tail, as far as the switch takes it.</summary>
    public void Fetch()
    {
        if (fetching)
            return;
        fetching = true;
        var sent = false;
        while (transmitHead != transmitEnd && FetchOne(transmitHead))
        {
            transmitHead = (transmitHead + 1) % Size;
            sent = true;
        }
        fetching = false;
        if (sent)
            interrupt.Raise();
    }

    /// <summary>The device puts a frame into the next receive buffer.</summary>
    public void Receive(Frame frame)
    {
        Span<byte> bytes = stackalloc byte[Descriptor.Bytes];
        if (receiveHead == receiveEnd || frame.Bytes > DriverMemory.BufferBytes || !dma.Read(ReceivePlace(receiveHead), bytes))
        {
            slot.Counters.Count(NicCount.DroppedFrames);
            return;
        }
        var descriptor = Descriptor.Parse(bytes);
        Span<byte> data = stackalloc byte[frame.Bytes];
        frame.CopyTo(data);
        (descriptor with { Length = (ushort)frame.Bytes, Status = Descriptor.Done | Descriptor.ReceivedEnd }).CopyTo(bytes);
        if (!dma.Write(descriptor.Address, data) || !dma.Write(ReceivePlace(receiveHead), bytes))
        {
            slot.Counters.Count(NicCount.DroppedFrames);
            return;
        }
        receiveHead = (receiveHead + 1) % Size;
        interrupt.Raise();
    }

    public void Resume() => interrupt.Resume();

    private int Free => (reclaimed + Size - transmitTail - 1) % Size;

    private long ReceivePlace(int index) => slot.Rings.RingPage(0) + (index * Descriptor.Bytes);

    private long TransmitPlace(int index) => slot.Rings.RingPage(1) + (index * Descriptor.Bytes);

    private void Put(Descriptor descriptor)
    {
        descriptor.Store(slot.Memory, TransmitPlace(transmitTail));
        transmitTail = (transmitTail + 1) % Size;
    }

    private bool FetchOne(int index)
    {
        Span<byte> bytes = stackalloc byte[Descriptor.Bytes];
        if (!dma.Read(TransmitPlace(index), bytes))
            return false;
        var descriptor = Descriptor.Parse(bytes);
        if (descriptor.IsContext)
        {
            segmentBytes = descriptor.Special;
        }
        else
        {
            var data = ArrayPool<byte>.Shared.Rent(descriptor.Length);
            var taken = dma.Read(descriptor.Address, data.AsSpan(0, descriptor.Length))
                && toSwitch(Frame.Parse(data.AsMemory(0, descriptor.Length)) with { SegmentBytes = segmentBytes });
            ArrayPool<byte>.Shared.Return(data);
            if (!taken)
                return false;
            segmentBytes = 0;
        }
        (descriptor with { Status = Descriptor.Done }).CopyTo(bytes);
        return dma.Write(TransmitPlace(index), bytes);
    }

    /// <summary>The guest's interrupt handler: what was sent and what has come share a vector.</summary>
    private void Handle()
    {
        Reclaim();
        while (Descriptor.Load(slot.Memory, ReceivePlace(receiveNext)) is { Status: not 0 } descriptor)
        {
            slot.TakeFrom(descriptor.Address, descriptor.Length);
            (descriptor with { Length = 0, Status = 0 }).Store(slot.Memory, ReceivePlace(receiveNext));
            receiveEnd = receiveNext;
            receiveNext = (receiveNext + 1) % Size;
        }
    }

    private void Reclaim()
    {
        while (reclaimed != transmitTail && (Descriptor.Load(slot.Memory, TransmitPlace(reclaimed)).Status & Descriptor.Done) != 0)
            reclaimed = (reclaimed + 1) % Size;
    }
}

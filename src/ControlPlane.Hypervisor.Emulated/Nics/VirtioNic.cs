using System.Buffers;
using System.Buffers.Binary;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Net;

namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>What driver and device of a virtio-net have agreed on (virtio 1.2, 5.1.3 and 6).</summary>
/// <param name="EventIndex">VIRTIO_F_EVENT_IDX: each side says at which entry it wants to be told.</param>
/// <param name="Offload">VIRTIO_NET_F_CSUM, HOST_TSO4 and GUEST_TSO4: frames of up to 64 KiB travel whole, in both directions.</param>
internal sealed record VirtioFeatures(bool EventIndex = true, bool Offload = true);

/// <summary>
/// A virtio-net of two split virtqueues in guest memory, served by the host's kernel (vhost): a kick is an exit, and the host's CPU copies each
/// frame once. While the worker has work, or the guest polls, neither side notifies the other.
/// </summary>
internal sealed class VirtioNic : GuestNic
{
    /// <summary>5.1.6: flags, gso_type, hdr_len, gso_size, csum_start, csum_offset, num_buffers.</summary>
    private const int HeaderBytes = 12;

    /// <summary>The header lies before its frame, in the same page.</summary>
    private const int HeaderRoom = 64;

    private const byte NeedsChecksum = 1;
    private const byte GsoTcpV4 = 1;

    private readonly NicSlot slot;
    private readonly VirtioFeatures features;
    private readonly Action<Frame> toBridge;
    private readonly SplitVirtqueue transmit;
    private readonly SplitVirtqueue receive;
    private readonly VirtqueueDriver transmitDriver;
    private readonly VirtqueueDriver receiveDriver;
    private readonly VirtqueueDevice transmitDevice;
    private readonly VirtqueueDevice receiveDevice;
    private readonly GuestInterrupt transmitInterrupt;
    private readonly GuestInterrupt receiveInterrupt;
    private readonly Stack<int> freeBuffers = new(DriverMemory.Frames);
    private readonly Stack<int> freeLarge = new(DriverMemory.LargeFrames);
    private readonly Action work;
    private bool working;

    /// <param name="from">Where the NIC stood on the host that the guest comes from; null: its driver begins anew.</param>
    public VirtioNic(NicSlot slot, VirtioFeatures features, Action<Frame> toBridge, VirtioState? from = null)
    {
        this.slot = slot;
        this.features = features;
        this.toBridge = toBridge;
        work = Work;
        // Descriptor table and rings of a queue take a little over six KiB: two pages.
        receive = new SplitVirtqueue(slot.Memory, slot.Rings.RingPage(0));
        transmit = new SplitVirtqueue(slot.Memory, slot.Rings.RingPage(2));
        transmitDriver = new VirtqueueDriver(transmit, features.EventIndex);
        receiveDriver = new VirtqueueDriver(receive, features.EventIndex);
        transmitDevice = new VirtqueueDevice(transmit, features.EventIndex);
        receiveDevice = new VirtqueueDevice(receive, features.EventIndex);
        transmitInterrupt = new GuestInterrupt(slot, 1, InterruptWay.Injected, TimeSpan.Zero, Reclaim);
        receiveInterrupt = new GuestInterrupt(slot, 0, InterruptWay.Injected, TimeSpan.Zero, Poll);
        if (from is null)
            Begin();
        else
            GoOn(from);
    }

    public override VirtioState Save() => new(
        slot.Rings, new(transmitDriver.Indices, transmitDevice.Indices), new(receiveDriver.Indices, receiveDevice.Indices),
        [.. freeBuffers.Reverse()], [.. freeLarge.Reverse()]);

    /// <summary>The driver sets the queues up.</summary>
    private void Begin()
    {
        transmit.Clear();
        receive.Clear();
        for (var buffer = DriverMemory.Frames - 1; buffer >= 0; buffer--)
            freeBuffers.Push(buffer);
        for (var large = DriverMemory.LargeFrames - 1; large >= 0; large--)
            freeLarge.Push(large);
        for (ushort buffer = 0; buffer < DriverMemory.Frames; buffer++)
        {
            receive.SetDescriptor(
                buffer, new VirtqueueDescriptor(slot.Rings.ReceiveBuffer(buffer), DriverMemory.BufferBytes, VirtqueueDescriptor.DeviceWrites, 0));
            receiveDriver.Offer(buffer);
        }
        receiveDevice.WantNoKick();
    }

    /// <summary>Chains that were under way at the switch-over are worked on here, and what the driver was not told of yet it is told now.</summary>
    private void GoOn(VirtioState from)
    {
        (transmitDriver.Indices, transmitDevice.Indices) = (from.Transmit.Driver, from.Transmit.Device);
        (receiveDriver.Indices, receiveDevice.Indices) = (from.Receive.Driver, from.Receive.Device);
        foreach (var buffer in from.FreeBuffers)
            freeBuffers.Push(buffer);
        foreach (var large in from.FreeLarge)
            freeLarge.Push(large);
        slot.Counters.Count(NicCount.TravelledChains, transmitDevice.Waiting);
        if (transmitDriver.HasUsed)
            transmitInterrupt.Raise();
        if (receiveDriver.HasUsed)
            receiveInterrupt.Raise();
        working = true;
        transmitDevice.WantNoKick();
        slot.Clock.Quietly(slot.Clock.Now, work);
    }

    public override bool TakesLargeFrames => features.Offload;

    public override bool CutsLargeFrames => features.Offload;

    /// <summary>The driver puts header and frame into the transmit queue, and kicks if the device asks for it.</summary>
    public override void Send(Frame frame, bool more = false)
    {
        Reclaim();
        var isLarge = frame.Bytes > DriverMemory.BufferBytes;
        if (frame.Bytes > DriverMemory.LargeBytes || !freeBuffers.TryPop(out var buffer))
        {
            slot.Counters.Count(NicCount.DroppedFrames);
            return;
        }
        var large = -1;
        if (isLarge && !freeLarge.TryPop(out large))
        {
            freeBuffers.Push(buffer);
            slot.Counters.Count(NicCount.DroppedFrames);
            return;
        }
        var page = slot.Rings.TransmitBuffer(buffer);
        var at = isLarge ? slot.Rings.LargeBuffer(large) : page + HeaderRoom;
        WriteHeader(page, frame.SegmentBytes, buffers: 1);
        slot.Store(at, frame);
        var head = (ushort)(2 * buffer);
        transmit.SetDescriptor(head, new VirtqueueDescriptor(page, HeaderBytes, VirtqueueDescriptor.HasNext, (ushort)(head + 1)));
        transmit.SetDescriptor(head + 1, new VirtqueueDescriptor(at, frame.Bytes, 0, 0));
        transmitDriver.Offer(head);
        // Linux: virtqueue_enable_cb_delayed, so that an interrupt comes when three quarters of what is under way are done.
        transmitDriver.WantInterrupt(Math.Max(1, transmitDriver.Pending * 3 / 4));
        if (!more || freeBuffers.Count == 0)
            Kick();
    }

    /// <summary>The device puts a frame into as many receive buffers as it needs (VIRTIO_NET_F_MRG_RXBUF).</summary>
    public override void Receive(Frame frame)
    {
        const int room = DriverMemory.BufferBytes;
        var buffers = (HeaderBytes + frame.Bytes + room - 1) / room;
        if (!slot.DeviceRuns || receiveDevice.Waiting < buffers)
        {
            slot.Counters.Count(NicCount.DroppedFrames);
            return;
        }
        var bytes = ArrayPool<byte>.Shared.Rent(HeaderBytes + frame.Bytes);
        FormatHeader(bytes, frame.SegmentBytes, buffers);
        frame.CopyTo(bytes.AsSpan(HeaderBytes));
        for (var at = 0; at < HeaderBytes + frame.Bytes; at += room)
        {
            var head = receiveDevice.Pop()!.Value;
            var length = Math.Min(room, HeaderBytes + frame.Bytes - at);
            slot.Memory.Write(receive.Descriptor(head).Address, bytes.AsSpan(at, length));
            receiveDevice.PushUsed(head, length);
        }
        ArrayPool<byte>.Shared.Return(bytes);
        slot.Counters.Copied(frame.Bytes);
        Notify(receiveDevice, receiveInterrupt);
    }

    public override void Resume()
    {
        transmitInterrupt.Resume();
        receiveInterrupt.Resume();
    }

    private void Kick()
    {
        if (!transmitDriver.MustKick())
        {
            slot.Counters.Count(NicCount.SuppressedKicks);
            return;
        }
        slot.Counters.Count(NicCount.Kicks);
        slot.Exit(ExitReason.Mmio);
        if (working)
            return;
        working = true;
        transmitDevice.WantNoKick();
        slot.Clock.Quietly(slot.Clock.Now, work);
    }

    /// <summary>vhost's worker: everything that is in the queue when it gets its CPU.</summary>
    private void Work()
    {
        working = false;
        if (!slot.DeviceRuns)
            return;
        Span<byte> fields = stackalloc byte[HeaderBytes];
        while (transmitDevice.Pop() is { } head)
        {
            var header = transmit.Descriptor(head);
            var data = transmit.Descriptor(header.Next);
            slot.Memory.Read(header.Address, fields);
            var bytes = ArrayPool<byte>.Shared.Rent(data.Length);
            slot.Memory.Read(data.Address, bytes.AsSpan(0, data.Length));
            slot.Counters.Copied(data.Length);
            transmitDevice.PushUsed(head, 0);
            var frame = Frame.Parse(bytes.AsMemory(0, data.Length));
            toBridge(fields[1] == GsoTcpV4 ? frame with { SegmentBytes = BinaryPrimitives.ReadUInt16LittleEndian(fields[4..]) } : frame);
            ArrayPool<byte>.Shared.Return(bytes);
        }
        transmitDevice.WantKick();
        Notify(transmitDevice, transmitInterrupt);
    }

    private void Notify(VirtqueueDevice device, GuestInterrupt interrupt)
    {
        if (device.PublishUsed())
            interrupt.Raise();
        else
            slot.Counters.Count(NicCount.SuppressedInterrupts);
    }

    /// <summary>The driver takes back what was sent.</summary>
    private void Reclaim()
    {
        while (transmitDriver.TryTakeUsed(out var head, out _))
        {
            freeBuffers.Push(head / 2);
            var at = transmit.Descriptor(head + 1).Address;
            if (at >= slot.Rings.LargeBuffer(0))
                freeLarge.Push((int)((at - slot.Rings.LargeBuffer(0)) / DriverMemory.LargeBytes));
        }
    }

    /// <summary>The driver polls the receive queue until it is empty, offers the buffers anew and wants an interrupt for the next.</summary>
    private void Poll()
    {
        receiveDriver.WantNoInterrupt();
        while (receiveDriver.TryTakeUsed(out var head, out var length))
            TakeOne(head, length);
        receiveDriver.WantInterrupt();
        // The device has all buffers back and had not asked for a kick.
        receiveDriver.MustKick();
    }

    private void TakeOne(int head, int length)
    {
        Span<byte> fields = stackalloc byte[HeaderBytes];
        slot.Memory.Read(slot.Rings.ReceiveBuffer(head), fields);
        var segmentBytes = fields[1] == GsoTcpV4 ? BinaryPrimitives.ReadUInt16LittleEndian(fields[4..]) : 0;
        var buffers = BinaryPrimitives.ReadUInt16LittleEndian(fields[10..]);
        var bytes = ArrayPool<byte>.Shared.Rent(buffers * DriverMemory.BufferBytes);
        var filled = 0;
        for (var n = 0; n < buffers; n++)
        {
            if (n > 0 && !receiveDriver.TryTakeUsed(out head, out length))
                break;
            slot.Memory.Read(slot.Rings.ReceiveBuffer(head), bytes.AsSpan(filled, length));
            filled += length;
            receiveDriver.Offer((ushort)head);
        }
        slot.Take(bytes.AsMemory(HeaderBytes, filled - HeaderBytes), segmentBytes);
        ArrayPool<byte>.Shared.Return(bytes);
    }

    private void WriteHeader(long address, int segmentBytes, int buffers)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        FormatHeader(header, segmentBytes, buffers);
        slot.Memory.Write(address, header);
    }

    private static void FormatHeader(Span<byte> header, int segmentBytes, int buffers)
    {
        header[..HeaderBytes].Clear();
        header[0] = segmentBytes > 0 ? NeedsChecksum : (byte)0;
        header[1] = segmentBytes > 0 ? GsoTcpV4 : (byte)0;
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], (ushort)segmentBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(header[10..], (ushort)buffers);
    }
}

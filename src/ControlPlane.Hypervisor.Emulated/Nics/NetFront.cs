using System.Buffers.Binary;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Net;

namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>
/// The front end of a split network driver (Xen: <c>netif.h</c>, Linux: <c>xen-netfront</c>): it grants pages, puts requests into two shared
/// rings and notifies the back end by a hypercall when that asked for it.
/// </summary>
internal sealed class NetFront
{
    public const int TransmitEntryBytes = 12;
    public const int ReceiveEntryBytes = 8;

    private readonly NicSlot slot;
    private readonly SharedRing transmit;
    private readonly SharedRing receive;
    private readonly GrantTable grants;
    private readonly Stack<ushort> free = new(DriverMemory.Frames);
    private uint transmitRequests;
    private uint transmitResponses;
    private uint receiveRequests;
    private uint receiveResponses;

    public NetFront(NicSlot slot)
    {
        this.slot = slot;
        receive = ReceiveRingOf(slot);
        transmit = TransmitRingOf(slot);
        grants = GrantsOf(slot);
        Event = new GuestInterrupt(slot, 0, InterruptWay.Upcall, TimeSpan.Zero, Handle);
        receive.Clear();
        transmit.Clear();
        for (var id = DriverMemory.Frames - 1; id >= 0; id--)
            free.Push((ushort)id);
        for (ushort id = 0; id < DriverMemory.Frames; id++)
            Post(id);
        receive.RequestProducer = receiveRequests;
    }

    /// <summary>The event channel by which the back end notifies.</summary>
    public GuestInterrupt Event { get; }

    /// <summary>Called when the front end notifies the back end through the event channel.</summary>
    public Action? Notified { get; set; }

    public static SharedRing ReceiveRingOf(NicSlot slot) => new(slot.Memory, slot.Rings.RingPage(0), ReceiveEntryBytes);

    public static SharedRing TransmitRingOf(NicSlot slot) => new(slot.Memory, slot.Rings.RingPage(1), TransmitEntryBytes);

    public static GrantTable GrantsOf(NicSlot slot) => new(slot.Memory, slot.Rings.RingPage(2));

    public void Send(Frame frame, bool more)
    {
        Reclaim();
        if (frame.Bytes > DriverMemory.BufferBytes || !free.TryPop(out var id))
        {
            slot.Counters.Count(NicCount.DroppedFrames);
            return;
        }
        var page = slot.Rings.TransmitBuffer(id);
        slot.Store(page, frame);
        grants.Permit(TransmitReference(id), page, readOnly: true);
        Span<byte> request = stackalloc byte[TransmitEntryBytes];
        BinaryPrimitives.WriteInt32LittleEndian(request, TransmitReference(id));
        BinaryPrimitives.WriteUInt16LittleEndian(request[8..], id);
        BinaryPrimitives.WriteUInt16LittleEndian(request[10..], (ushort)frame.Bytes);
        transmit.WriteEntry(transmitRequests++, request);
        // Linux: an interrupt is wanted when half of what is under way is done.
        transmit.ResponseEvent = transmitResponses + ((transmitRequests - transmitResponses) >> 1) + 1;
        if (!more || free.Count == 0)
            Push();
    }

    private static int ReceiveReference(int id) => GrantTable.FirstReference + id;

    private static int TransmitReference(int id) => GrantTable.FirstReference + DriverMemory.Frames + id;

    private void Push()
    {
        var before = transmit.RequestProducer;
        transmit.RequestProducer = transmitRequests;
        if (!SharedRing.Passed(transmit.RequestEvent, transmitRequests, before))
        {
            slot.Counters.Count(NicCount.SuppressedKicks);
            return;
        }
        slot.Counters.Count(NicCount.Kicks);
        slot.Exit(ExitReason.Hypercall);
        Notified?.Invoke();
    }

    /// <summary>The upcall: what was sent is taken back, what has come is taken, and its buffers are granted anew.</summary>
    private void Handle()
    {
        Reclaim();
        Span<byte> response = stackalloc byte[ReceiveEntryBytes];
        while (receiveResponses != receive.ResponseProducer)
        {
            receive.ReadEntry(receiveResponses++, response);
            var id = BinaryPrimitives.ReadUInt16LittleEndian(response);
            var status = BinaryPrimitives.ReadInt16LittleEndian(response[6..]);
            grants.End(ReceiveReference(id));
            if (status > 0)
                slot.TakeFrom(slot.Rings.ReceiveBuffer(id) + BinaryPrimitives.ReadUInt16LittleEndian(response[2..]), status);
            Post(id);
        }
        receive.RequestProducer = receiveRequests;
        receive.ResponseEvent = receiveResponses + 1;
    }

    private void Post(ushort id)
    {
        grants.Permit(ReceiveReference(id), slot.Rings.ReceiveBuffer(id), readOnly: false);
        Span<byte> request = stackalloc byte[ReceiveEntryBytes];
        BinaryPrimitives.WriteUInt16LittleEndian(request, id);
        BinaryPrimitives.WriteInt32LittleEndian(request[4..], ReceiveReference(id));
        receive.WriteEntry(receiveRequests++, request);
    }

    private void Reclaim()
    {
        Span<byte> response = stackalloc byte[TransmitEntryBytes];
        while (transmitResponses != transmit.ResponseProducer)
        {
            transmit.ReadEntry(transmitResponses++, response);
            var id = BinaryPrimitives.ReadUInt16LittleEndian(response);
            grants.End(TransmitReference(id));
            free.Push(id);
        }
    }
}

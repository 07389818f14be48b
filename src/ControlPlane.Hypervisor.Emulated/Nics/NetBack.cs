using System.Buffers;
using System.Buffers.Binary;
using ControlPlane.Hypervisor.Emulated.Net;

namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>
/// The back end of a split network driver (Linux: <c>xen-netback</c>), in the domain that has the hardware. It uses only pages that were
/// granted: it maps those that are sent, and lets the VMM copy what arrives.
/// </summary>
/// <param name="send">Where frames go.</param>
/// <param name="nicReads">True: the NIC itself reads the mapped pages. False: the back end pulls the headers into a buffer of its own.</param>
internal sealed class NetBack(NicSlot slot, GuestInterrupt channel, Action<Frame> send, bool nicReads)
{
    /// <summary>Linux: <c>XEN_NETBACK_TX_COPY_LEN</c>, the part of a frame that is always copied, for the headers must not change any more.</summary>
    private const int PulledBytes = 128;

    private const short Error = -1;

    private readonly SharedRing transmit = NetFront.TransmitRingOf(slot);
    private readonly SharedRing receive = NetFront.ReceiveRingOf(slot);
    private readonly GrantTable grants = NetFront.GrantsOf(slot);
    private Action? work;
    private bool working;
    private uint transmitDone;
    private uint receiveDone;
    private uint receiveTold;

    /// <summary>The front end has notified.</summary>
    public void Wake()
    {
        if (working)
            return;
        working = true;
        slot.Clock.Quietly(slot.Clock.Now, work ??= Work);
    }

    /// <summary>Puts a frame into the next page that the front end has granted for it.</summary>
    public void Deliver(Frame frame)
    {
        if (!slot.DeviceRuns || receiveDone == receive.RequestProducer || frame.Bytes > DriverMemory.BufferBytes)
        {
            slot.Counters.Count(NicCount.DroppedFrames);
            return;
        }
        Span<byte> entry = stackalloc byte[NetFront.ReceiveEntryBytes];
        receive.ReadEntry(receiveDone, entry);
        var page = Find(BinaryPrimitives.ReadInt32LittleEndian(entry[4..]), write: true);
        if (page is { } at)
        {
            Span<byte> bytes = stackalloc byte[frame.Bytes];
            frame.CopyTo(bytes);
            slot.Memory.Write(at, bytes);
            slot.Counters.Count(NicCount.GrantCopies);
            slot.Counters.Copied(frame.Bytes);
        }
        else
        {
            slot.Counters.Count(NicCount.DroppedFrames);
        }
        // A response: id, offset, flags, and the length or an error.
        BinaryPrimitives.WriteUInt32LittleEndian(entry[2..], 0);
        BinaryPrimitives.WriteInt16LittleEndian(entry[6..], page is null ? Error : (short)frame.Bytes);
        receive.WriteEntry(receiveDone++, entry);
    }

    /// <summary>Shows the front end what was delivered, and notifies it if it asked for that.</summary>
    public void PublishDelivered()
    {
        if (!slot.DeviceRuns)
            return;
        receive.ResponseProducer = receiveDone;
        Notify(SharedRing.Passed(receive.ResponseEvent, receiveDone, receiveTold));
        receiveTold = receiveDone;
    }

    private void Work()
    {
        working = false;
        if (!slot.DeviceRuns)
            return;
        Span<byte> entry = stackalloc byte[NetFront.TransmitEntryBytes];
        var before = transmitDone;
        while (transmitDone != transmit.RequestProducer)
        {
            transmit.ReadEntry(transmitDone, entry);
            var id = BinaryPrimitives.ReadUInt16LittleEndian(entry[8..]);
            var sent = SendOne(
                BinaryPrimitives.ReadInt32LittleEndian(entry), BinaryPrimitives.ReadUInt16LittleEndian(entry[4..]),
                BinaryPrimitives.ReadUInt16LittleEndian(entry[10..]));
            BinaryPrimitives.WriteUInt16LittleEndian(entry, id);
            BinaryPrimitives.WriteInt16LittleEndian(entry[2..], sent ? (short)0 : Error);
            transmit.WriteEntry(transmitDone++, entry);
        }
        transmit.RequestEvent = transmitDone + 1;
        transmit.ResponseProducer = transmitDone;
        Notify(SharedRing.Passed(transmit.ResponseEvent, transmitDone, before));
    }

    private bool SendOne(int reference, int offset, int length)
    {
        if (offset + length > Memory.GuestMemory.PageBytes || Find(reference, write: false) is not { } page)
            return false;
        slot.Counters.Count(NicCount.GrantMaps);
        // The page is mapped, not copied: what the model moves here is what the NIC, or the neighbour's back end, reads from it.
        var bytes = ArrayPool<byte>.Shared.Rent(length);
        slot.Memory.Read(page + offset, bytes.AsSpan(0, length));
        if (nicReads)
            slot.Counters.Count(NicCount.DmaReads);
        else
            slot.Counters.Copied(Math.Min(PulledBytes, length));
        send(Frame.Parse(bytes.AsMemory(0, length)));
        ArrayPool<byte>.Shared.Return(bytes);
        return true;
    }

    private long? Find(int reference, bool write)
    {
        var page = grants.Find(reference, write);
        if (page is null)
            slot.Counters.Count(NicCount.RefusedGrants);
        return page;
    }

    private void Notify(bool wanted)
    {
        if (wanted)
            channel.Raise();
        else
            slot.Counters.Count(NicCount.SuppressedInterrupts);
    }
}

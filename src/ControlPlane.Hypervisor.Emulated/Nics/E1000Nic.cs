using ControlPlane.Hypervisor.Emulated.Net;

namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>
/// An emulated 8254x with the driver of its time: rings of legacy descriptors in guest memory, a tail write for each frame, and an interrupt
/// handler that reads the cause.
/// </summary>
internal sealed class E1000Nic : GuestNic
{
    private const int Size = DriverMemory.Frames;

    private readonly NicSlot slot;
    private readonly E1000Device device;
    private readonly GuestInterrupt line;
    private int transmitTail;
    private int reclaimed;
    private int receiveNext;

    /// <param name="from">Where the NIC stood on the host that the guest comes from; null: its driver begins anew.</param>
    public E1000Nic(NicSlot slot, Action<Frame> toBridge, E1000State? from = null)
    {
        this.slot = slot;
        device = new E1000Device(slot, toBridge);
        line = device.Line = new GuestInterrupt(slot, 0, InterruptWay.Line, TimeSpan.Zero, Handle);
        if (from is null)
        {
            Begin();
            return;
        }
        (transmitTail, reclaimed, receiveNext) = (from.Driver.TransmitTail, from.Driver.Reclaimed, from.Driver.ReceiveNext);
        device.Restore(from.Registers);
    }

    public override E1000State Save() => new(slot.Rings, new(transmitTail, reclaimed, receiveNext), device.Save());

    /// <summary>The driver sets the rings up.</summary>
    private void Begin()
    {
        for (var n = 0; n < Size; n++)
        {
            default(Descriptor).Store(slot.Memory, Place(TransmitRing, n));
            new Descriptor(slot.Rings.ReceiveBuffer(n), 0, 0, 0, 0).Store(slot.Memory, Place(ReceiveRing, n));
        }
        // 14.4 and 14.5: what a driver writes to bring receiver and transmitter up.
        Program(E1000Register.ReceiveBaseLow, ReceiveRing);
        device.Write(E1000Register.ReceiveTail, Size - 1);
        device.Write(E1000Register.ReceiveControl, E1000Device.Enable);
        Program(E1000Register.TransmitBaseLow, TransmitRing);
        device.Write(E1000Register.TransmitControl, E1000Device.Enable);
        device.Write(E1000Register.InterruptMaskSet, E1000Device.TransmitDone | E1000Device.ReceiveTimer);
    }

    private long ReceiveRing => slot.Rings.RingPage(0);

    private long TransmitRing => slot.Rings.RingPage(1);

    public override void Send(Frame frame, bool more = false)
    {
        var next = (transmitTail + 1) % Size;
        if (next == reclaimed || frame.Bytes > DriverMemory.BufferBytes)
        {
            slot.Counters.Count(NicCount.DroppedFrames);
            return;
        }
        var at = slot.Rings.TransmitBuffer(transmitTail);
        slot.Store(at, frame);
        new Descriptor(at, (ushort)frame.Bytes, Descriptor.EndOfPacket | Descriptor.ReportStatus, 0, 0).Store(slot.Memory, Place(TransmitRing, transmitTail));
        transmitTail = next;
        device.Write(E1000Register.TransmitTail, (uint)next);
    }

    public override void Receive(Frame frame)
    {
        if (!device.Receive(frame))
            slot.Counters.Count(NicCount.DroppedFrames);
    }

    public override void Resume() => line.Resume();

    /// <summary>The guest's interrupt handler.</summary>
    private void Handle()
    {
        var cause = device.Read(E1000Register.InterruptCauseRead);
        if ((cause & E1000Device.TransmitDone) != 0)
            Reclaim();
        if ((cause & E1000Device.ReceiveTimer) != 0)
            TakeReceived();
    }

    private void Reclaim()
    {
        while (reclaimed != transmitTail && (Descriptor.Load(slot.Memory, Place(TransmitRing, reclaimed)).Status & Descriptor.Done) != 0)
            reclaimed = (reclaimed + 1) % Size;
    }

    private void TakeReceived()
    {
        var before = receiveNext;
        while (Descriptor.Load(slot.Memory, Place(ReceiveRing, receiveNext)) is { Status: not 0 } descriptor)
        {
            slot.TakeFrom(descriptor.Address, descriptor.Length);
            (descriptor with { Length = 0, Status = 0 }).Store(slot.Memory, Place(ReceiveRing, receiveNext));
            receiveNext = (receiveNext + 1) % Size;
        }
        if (before != receiveNext)
            device.Write(E1000Register.ReceiveTail, (uint)((receiveNext + Size - 1) % Size));
    }

    private void Program(E1000Register baseLow, long ring)
    {
        device.Write(baseLow, (uint)ring);
        device.Write(baseLow + 4, (uint)(ring >> 32));
        device.Write(baseLow + 8, Size * Descriptor.Bytes);
        device.Write(baseLow + 16, 0);
        device.Write(baseLow + 24, 0);
    }

    private static long Place(long ring, int index) => ring + (index * Descriptor.Bytes);
}

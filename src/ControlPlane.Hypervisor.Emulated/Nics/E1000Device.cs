using System.Buffers;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Net;

namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>Registers of the 8254x (software developer's manual, table 13-2), by their offsets in the first base address.</summary>
internal enum E1000Register
{
    InterruptCauseRead = 0x00c0,
    InterruptMaskSet = 0x00d0,
    InterruptMaskClear = 0x00d8,
    ReceiveControl = 0x0100,
    TransmitControl = 0x0400,
    ReceiveBaseLow = 0x2800,
    ReceiveBaseHigh = 0x2804,
    ReceiveLength = 0x2808,
    ReceiveHead = 0x2810,
    ReceiveTail = 0x2818,
    TransmitBaseLow = 0x3800,
    TransmitBaseHigh = 0x3804,
    TransmitLength = 0x3808,
    TransmitHead = 0x3810,
    TransmitTail = 0x3818,
}

/// <summary>
/// The device model of an 8254x in the VMM: no page lies behind its registers, so each access leaves the guest. It reads descriptors and
/// buffers with the VMM's own CPU, into the model's packet buffer and from there into the host's network: two copies each way.
/// </summary>
internal sealed class E1000Device(NicSlot slot, Action<Frame> toBridge)
{
    public const uint TransmitDone = 0x01;
    public const uint ReceiveTimer = 0x80;
    public const uint Enable = 0x02;

    private readonly uint[] registers = new uint[0x4000 / 4];
    private byte[]? packetBuffer;

    /// <summary>The interrupt line: set to be called when a cause that is not masked comes up.</summary>
    public GuestInterrupt? Line { get; set; }

    /// <summary>The guest reads a register.</summary>
    public uint Read(E1000Register register)
    {
        slot.Exit(ExitReason.Mmio);
        slot.Counters.Count(NicCount.RegisterReads);
        var value = this[register];
        if (register == E1000Register.InterruptCauseRead)
        {
            this[register] = 0; // 13.4.17: cleared by the read, which also lowers the line.
            Line?.Lower();
        }
        return value;
    }

    /// <summary>The guest writes a register.</summary>
    public void Write(E1000Register register, uint value)
    {
        slot.Exit(ExitReason.Mmio);
        slot.Counters.Count(NicCount.RegisterWrites);
        switch (register)
        {
            case E1000Register.InterruptMaskSet:
                this[register] |= value;
                break;
            case E1000Register.InterruptMaskClear:
                this[E1000Register.InterruptMaskSet] &= ~value;
                break;
            default:
                this[register] = value;
                break;
        }
        if (register == E1000Register.TransmitTail && (this[E1000Register.TransmitControl] & Enable) != 0)
            Transmit();
    }

    /// <summary>A frame comes from the host's network. False: no descriptor was free.</summary>
    public bool Receive(Frame frame)
    {
        var (head, tail) = (this[E1000Register.ReceiveHead], this[E1000Register.ReceiveTail]);
        if (!slot.DeviceRuns || head == tail || frame.Bytes > DriverMemory.BufferBytes || (this[E1000Register.ReceiveControl] & Enable) == 0)
            return false;
        var buffer = packetBuffer ??= new byte[DriverMemory.BufferBytes];
        frame.CopyTo(buffer);
        slot.Counters.Copied(frame.Bytes);
        var place = RingAt(E1000Register.ReceiveBaseLow) + (head * Descriptor.Bytes);
        var descriptor = Descriptor.Load(slot.Memory, place);
        slot.Memory.Write(descriptor.Address, buffer.AsSpan(0, frame.Bytes));
        slot.Counters.Copied(frame.Bytes);
        (descriptor with { Length = (ushort)frame.Bytes, Status = Descriptor.Done | Descriptor.ReceivedEnd }).Store(slot.Memory, place);
        this[E1000Register.ReceiveHead] = Next(head, E1000Register.ReceiveLength);
        if (Cause(ReceiveTimer))
            Line?.Raise();
        return true;
    }

    /// <summary>Sends what the driver has put between head and tail. The guest waits: its CPU is in the VMM meanwhile.</summary>
    private void Transmit()
    {
        var head = this[E1000Register.TransmitHead];
        for (; head != this[E1000Register.TransmitTail]; head = Next(head, E1000Register.TransmitLength))
        {
            var place = RingAt(E1000Register.TransmitBaseLow) + (head * Descriptor.Bytes);
            var descriptor = Descriptor.Load(slot.Memory, place);
            var length = descriptor.Length;
            var buffer = packetBuffer ??= new byte[DriverMemory.BufferBytes];
            slot.Memory.Read(descriptor.Address, buffer.AsSpan(0, length));
            slot.Counters.Copied(length);
            var toHost = ArrayPool<byte>.Shared.Rent(length);
            buffer.AsSpan(0, length).CopyTo(toHost);
            slot.Counters.Copied(length);
            (descriptor with { Status = Descriptor.Done }).Store(slot.Memory, place);
            toBridge(Frame.Parse(toHost.AsMemory(0, length)));
            ArrayPool<byte>.Shared.Return(toHost);
        }
        this[E1000Register.TransmitHead] = head;
        if (Cause(TransmitDone))
            Line?.RaiseAtEntry();
    }

    /// <summary>The registers that are not zero, as they travel.</summary>
    public Dictionary<E1000Register, uint> Save() =>
        Enum.GetValues<E1000Register>().Where(register => this[register] != 0).ToDictionary(register => register, register => this[register]);

    /// <summary>Goes on with the registers that it had on another host; what pulled the line there pulls it here.</summary>
    public void Restore(IReadOnlyDictionary<E1000Register, uint> saved)
    {
        foreach (var (register, value) in saved)
            this[register] = value;
        if ((this[E1000Register.InterruptCauseRead] & this[E1000Register.InterruptMaskSet]) != 0)
            Line?.Raise();
    }

    /// <summary>True when the line goes up by it.</summary>
    private bool Cause(uint cause)
    {
        this[E1000Register.InterruptCauseRead] |= cause;
        return (this[E1000Register.InterruptMaskSet] & cause) != 0;
    }

    private uint this[E1000Register register]
    {
        get => registers[(int)register / 4];
        set => registers[(int)register / 4] = value;
    }

    private long RingAt(E1000Register low) => this[low] | ((long)this[low + 4] << 32);

    private uint Next(uint index, E1000Register lengthRegister) => (index + 1) % (this[lengthRegister] / Descriptor.Bytes);
}

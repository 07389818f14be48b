using ControlPlane.Hypervisor.Emulated.Cpu;

namespace ControlPlane.Hypervisor.Emulated.Devices;

/// <summary>
/// A serial port as National Semiconductor's PC16550D describes it, as far as guests' consoles use it: data, interrupt enable and
/// identification, FIFO and line control, divisor, line and modem status, scratch. What is sent leaves at once.
/// </summary>
internal sealed class Uart16550(Action<byte> transmit) : IPortDevice
{
    public const int Registers = 8;

    private const byte DivisorAccess = 0x80;
    private const byte DataReady = 0x01;
    private const byte TransmitterEmpty = 0x60;
    private const byte Loopback = 0x10;
    private const int FifoBytes = 16;

    private readonly Queue<byte> received = new(FifoBytes);
    private byte interruptEnable;
    private byte fifoControl;
    private byte lineControl;
    private byte modemControl;
    private byte scratch;
    private bool transmitterWaits;
    private byte statusErrors;

    /// <summary>115200 divided by the baud rate.</summary>
    public ushort Divisor { get; private set; } = 1;

    public long TransmittedBytes { get; private set; }

    /// <summary>Bytes that came while the FIFO was full.</summary>
    public long Overruns { get; private set; }

    /// <summary>True while the port asks for an interrupt: it has a cause, and OUT2 connects the line.</summary>
    public bool InterruptLine => (modemControl & 0x08) != 0 && Cause() != NoCause;

    private const byte NoCause = 0x01;

    /// <summary>A byte arrives on the line.</summary>
    public void Receive(byte value)
    {
        if (received.Count < FifoBytes)
        {
            received.Enqueue(value);
            return;
        }
        statusErrors |= 0x02;
        Overruns++;
    }

    public byte ReadRegister(int register) => register switch
    {
        0 when DivisorIsShown => (byte)Divisor,
        0 => received.TryDequeue(out var value) ? value : (byte)0,
        1 => DivisorIsShown ? (byte)(Divisor >> 8) : interruptEnable,
        2 => Identify(),
        3 => lineControl,
        4 => modemControl,
        5 => LineStatus(),
        6 => (modemControl & Loopback) != 0 ? (byte)((modemControl & 0x0c) << 4 | (modemControl & 0x02) << 3 | (modemControl & 0x01) << 5) : (byte)0xb0,
        _ => scratch,
    };

    public void WriteRegister(int register, byte value)
    {
        switch (register)
        {
            case 0 when DivisorIsShown:
                Divisor = (ushort)((Divisor & 0xff00) | value);
                break;
            case 0:
                Transmit(value);
                break;
            case 1 when DivisorIsShown:
                Divisor = (ushort)((Divisor & 0x00ff) | (value << 8));
                break;
            case 1:
                // Enabling the transmitter's interrupt while it is empty raises it at once.
                transmitterWaits |= (value & ~interruptEnable & 0x02) != 0;
                interruptEnable = (byte)(value & 0x0f);
                break;
            case 2:
                fifoControl = (byte)(value & 0xc9);
                if ((value & 0x02) != 0)
                    received.Clear();
                break;
            case 3:
                lineControl = value;
                break;
            case 4:
                modemControl = (byte)(value & 0x1f);
                break;
            case 7:
                scratch = value;
                break;
            default:
                break;
        }
    }

    private bool DivisorIsShown => (lineControl & DivisorAccess) != 0;

    private void Transmit(byte value)
    {
        transmitterWaits = true;
        if ((modemControl & Loopback) != 0)
        {
            Receive(value);
            return;
        }
        TransmittedBytes++;
        transmit(value);
    }

    private byte LineStatus()
    {
        var status = (byte)(TransmitterEmpty | statusErrors | (received.Count > 0 ? DataReady : 0));
        statusErrors = 0;
        return status;
    }

    /// <summary>The cause of highest priority; reading it takes the transmitter's back.</summary>
    private byte Identify()
    {
        var cause = Cause();
        if (cause == 0x02)
            transmitterWaits = false;
        return (byte)(cause | ((fifoControl & 1) != 0 ? 0xc0 : 0));
    }

    private byte Cause()
    {
        if ((interruptEnable & 0x04) != 0 && statusErrors != 0)
            return 0x06;
        if ((interruptEnable & 0x01) != 0 && received.Count > 0)
            return 0x04;
        return (interruptEnable & 0x02) != 0 && transmitterWaits ? (byte)0x02 : NoCause;
    }
}

using System.Buffers.Binary;

namespace ControlPlane.Hypervisor.Emulated.Devices;

/// <summary>
/// A USB device of one configuration: what is written to its bulk endpoint can be read from the other (Linux: the loopback function of
/// <c>g_zero</c>), and its interrupt endpoint reports how much that was.
/// </summary>
internal sealed class UsbDevice(UsbId id)
{
    public const int BulkOut = 2;
    public const int BulkIn = 1;
    public const int InterruptIn = 3;

    public const byte GetDescriptor = 6;
    public const byte SetAddress = 5;
    public const byte SetConfiguration = 9;
    public const byte DeviceDescriptor = 1;
    public const byte ConfigurationDescriptor = 2;

    private const byte GetConfiguration = 8;
    private const byte ToHost = 0x80;
    private const int MaxHeld = 64 * 1024;

    /// <summary>A microframe of high speed: when a transfer is taken up.</summary>
    private static readonly TimeSpan Microframe = TimeSpan.FromMicroseconds(125);

    /// <summary>How often the interrupt endpoint is asked.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(8);

    private const int BytesPerMicrosecond = 40;

    private readonly Queue<byte> held = new();
    private byte configuration;
    private uint reports;

    public UsbId Id => id;

    /// <summary>Times that somebody told the device its address. Its own host did so before; a guest's attempt must not come here.</summary>
    public int AddressesSet { get; private set; }

    /// <summary>As after the bus has reset it: nothing of its last user is left.</summary>
    public void Reset()
    {
        held.Clear();
        (configuration, reports) = (0, 0);
    }

    public static TimeSpan TimeOf(UsbPacket submit) =>
        submit is { Endpoint: InterruptIn } ? Interval : Microframe + TimeSpan.FromMicroseconds(submit.Length / BytesPerMicrosecond);

    /// <summary>Carries a transfer out.</summary>
    public UsbPacket Handle(UsbPacket submit) => (submit.Endpoint, submit.Direction) switch
    {
        (0, _) => Control(submit),
        _ when configuration == 0 => Stall(submit),
        (BulkOut, UsbDirection.Out) when held.Count + submit.Data.Length <= MaxHeld => Write(submit),
        (BulkIn, UsbDirection.In) => Read(submit),
        (InterruptIn, UsbDirection.In) => Report(submit),
        _ => Stall(submit),
    };

    private UsbPacket Control(UsbPacket submit)
    {
        var setup = submit.Setup;
        switch (setup)
        {
            case { RequestType: ToHost, Request: GetDescriptor, Value: DeviceDescriptor << 8 }:
                return Give(submit, Device());
            case { RequestType: ToHost, Request: GetDescriptor, Value: ConfigurationDescriptor << 8 }:
                return Give(submit, Configuration());
            case { RequestType: ToHost, Request: GetConfiguration }:
                return Give(submit, [configuration]);
            case { RequestType: 0, Request: SetAddress }:
                AddressesSet++;
                return submit.Return(UsbStatus.Done, 0, default);
            case { RequestType: 0, Request: SetConfiguration, Value: 0 or 1 }:
                configuration = (byte)setup.Value;
                return submit.Return(UsbStatus.Done, 0, default);
            default:
                return Stall(submit);
        }
    }

    private UsbPacket Write(UsbPacket submit)
    {
        foreach (var value in submit.Data.Span)
            held.Enqueue(value);
        reports++;
        return submit.Return(UsbStatus.Done, submit.Data.Length, default);
    }

    private UsbPacket Read(UsbPacket submit)
    {
        var data = new byte[Math.Min(submit.Length, held.Count)];
        for (var n = 0; n < data.Length; n++)
            data[n] = held.Dequeue();
        return submit.Return(UsbStatus.Done, data.Length, data);
    }

    private UsbPacket Report(UsbPacket submit)
    {
        var data = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(data, reports);
        return Give(submit, data);
    }

    /// <summary>USB 2.0, table 9-8.</summary>
    private byte[] Device() =>
    [
        18, DeviceDescriptor, 0x00, 0x02, 0xff, 0, 0, 64, (byte)id.Vendor, (byte)(id.Vendor >> 8), (byte)id.Product, (byte)(id.Product >> 8), 0, 1, 0, 0, 0, 1,
    ];

    /// <summary>Tables 9-10, 9-12 and 9-13: one configuration of one interface with three endpoints.</summary>
    private static byte[] Configuration() =>
    [
        9, ConfigurationDescriptor, 39, 0, 1, 1, 0, 0x80, 50,
        9, 4, 0, 0, 3, 0xff, 0, 0, 0,
        7, 5, 0x80 | BulkIn, 2, 0, 2, 0,
        7, 5, BulkOut, 2, 0, 2, 0,
        7, 5, 0x80 | InterruptIn, 3, 4, 0, 7,
    ];

    private static UsbPacket Give(UsbPacket submit, byte[] data)
    {
        var length = Math.Min(submit.Length, data.Length);
        return submit.Return(UsbStatus.Done, length, data.AsMemory(0, length));
    }

    private static UsbPacket Stall(UsbPacket submit) => submit.Return(UsbStatus.Stalled, 0, default);
}

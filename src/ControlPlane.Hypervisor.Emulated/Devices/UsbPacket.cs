using System.Buffers.Binary;

namespace ControlPlane.Hypervisor.Emulated.Devices;

internal enum UsbDirection
{
    Out = 0,
    In = 1,
}

/// <summary>The first packet of a control transfer (USB 2.0, 9.3), little-endian wherever it travels.</summary>
internal readonly record struct UsbSetup(byte RequestType, byte Request, ushort Value, ushort Index, ushort Length)
{
    public const int Bytes = 8;

    public void CopyTo(Span<byte> bytes)
    {
        (bytes[0], bytes[1]) = (RequestType, Request);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[2..], Value);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[4..], Index);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[6..], Length);
    }

    public static UsbSetup Parse(ReadOnlySpan<byte> bytes) => new(
        bytes[0], bytes[1], BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]), BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]),
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]));
}

/// <summary>How transfers end: Linux's numbers, as USB/IP sends them.</summary>
internal static class UsbStatus
{
    public const int Done = 0;

    /// <summary>-EPIPE: the endpoint has stalled.</summary>
    public const int Stalled = -32;

    /// <summary>-ECONNRESET: taken back before it was done.</summary>
    public const int Unlinked = -104;

    /// <summary>-ESHUTDOWN: the device is gone.</summary>
    public const int Gone = -108;
}

/// <summary>
/// A packet between a guest's host controller and the host where the device is plugged in, as USB/IP has it on the wire (Linux:
/// <c>Documentation/usb/usbip_protocol.rst</c>, version 1.1.1): a header of 48 bytes, big-endian, and the data of the direction in which it goes.
/// </summary>
/// <param name="Status">Of a return.</param>
/// <param name="Length">Of a submit: how much is wanted or sent; of a return: how much there was.</param>
/// <param name="Unlinks">Of an unlink: the packet that is taken back.</param>
internal sealed record UsbPacket(
    UsbCommand Command, uint Sequence, UsbDirection Direction, int Endpoint, int Status, int Length, UsbSetup Setup, uint Unlinks, ReadOnlyMemory<byte> Data)
{
    public const int HeaderBytes = 48;

    private const uint NotIsochronous = 0xffff_ffff;

    public static UsbPacket Submit(uint sequence, UsbDirection direction, int endpoint, int length, UsbSetup setup, ReadOnlyMemory<byte> data) =>
        new(UsbCommand.Submit, sequence, direction, endpoint, 0, length, setup, 0, data);

    public static UsbPacket Unlink(uint sequence, uint unlinks) => new(UsbCommand.Unlink, sequence, UsbDirection.Out, 0, 0, 0, default, unlinks, default);

    public UsbPacket Return(int status, int length, ReadOnlyMemory<byte> data) =>
        new(UsbCommand.SubmitReturn, Sequence, Direction, Endpoint, status, length, default, 0, data);

    public UsbPacket UnlinkReturn(int status) => new(UsbCommand.UnlinkReturn, Sequence, UsbDirection.Out, 0, status, 0, default, 0, default);

    public byte[] ToBytes()
    {
        var bytes = new byte[HeaderBytes + Data.Length];
        Put(0, (uint)Command);
        Put(4, Sequence);
        Put(8, 0x0001_0002); // Bus 1, device 2: one connection carries one device.
        Put(12, (uint)Direction);
        Put(16, (uint)Endpoint);
        switch (Command)
        {
            case UsbCommand.Submit:
                Put(24, (uint)Length);
                Put(32, NotIsochronous);
                Setup.CopyTo(bytes.AsSpan(40));
                break;
            case UsbCommand.SubmitReturn:
                Put(20, (uint)Status);
                Put(24, (uint)Length);
                Put(32, NotIsochronous);
                break;
            case UsbCommand.Unlink:
                Put(20, Unlinks);
                break;
            default:
                Put(20, (uint)Status);
                break;
        }
        Data.Span.CopyTo(bytes.AsSpan(HeaderBytes));
        return bytes;

        void Put(int at, uint value) => BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(at), value);
    }

    public static UsbPacket Parse(ReadOnlyMemory<byte> packet)
    {
        var bytes = packet.Span;
        var command = (UsbCommand)Get(bytes, 0);
        var (isSubmit, isReturn) = (command == UsbCommand.Submit, command is UsbCommand.SubmitReturn or UsbCommand.UnlinkReturn);
        return new UsbPacket(
            command, Get(bytes, 4), (UsbDirection)Get(bytes, 12), (int)Get(bytes, 16), isReturn ? (int)Get(bytes, 20) : 0,
            command is UsbCommand.Submit or UsbCommand.SubmitReturn ? (int)Get(bytes, 24) : 0, isSubmit ? UsbSetup.Parse(bytes[40..]) : default,
            command == UsbCommand.Unlink ? Get(bytes, 20) : 0, packet[HeaderBytes..]);
    }

    private static uint Get(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32BigEndian(bytes[at..]);
}

/// <summary>The numbers of USB/IP.</summary>
internal enum UsbCommand
{
    Submit = 1,
    Unlink = 2,
    SubmitReturn = 3,
    UnlinkReturn = 4,
}

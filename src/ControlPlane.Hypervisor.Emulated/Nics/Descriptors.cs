using System.Buffers.Binary;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>
/// A descriptor of Intel's gigabit NICs, 16 bytes (8254x software developer's manual, 3.2.3 receive, 3.3.3 transmit, 3.3.6 context): the legacy
/// formats, and the context that tells the NIC how to cut what follows into TCP segments.
/// </summary>
/// <param name="Length">Of the buffer's contents; of a context: the payload that is to be cut.</param>
/// <param name="Command">Transmit only.</param>
/// <param name="Special">Of a context: the maximum segment size.</param>
internal readonly record struct Descriptor(long Address, ushort Length, byte Command, byte Status, ushort Special)
{
    public const int Bytes = 16;

    /// <summary>Command: the frame ends here.</summary>
    public const byte EndOfPacket = 0x01;

    /// <summary>Command of a context: TCP segmentation.</summary>
    public const byte Segmentation = 0x04;

    /// <summary>Command: the device shall write the status back.</summary>
    public const byte ReportStatus = 0x08;

    /// <summary>Command: not the legacy format.</summary>
    public const byte Extension = 0x20;

    /// <summary>Status: the device is done with it.</summary>
    public const byte Done = 0x01;

    /// <summary>Status: the frame that was received ends here.</summary>
    public const byte ReceivedEnd = 0x02;

    public bool IsContext => (Command & (Extension | Segmentation)) == (Extension | Segmentation);

    public void CopyTo(Span<byte> bytes)
    {
        BinaryPrimitives.WriteInt64LittleEndian(bytes, Address);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[8..], Length);
        (bytes[10], bytes[11], bytes[12], bytes[13]) = (0, Command, Status, 0);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[14..], Special);
    }

    public static Descriptor Parse(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]), bytes[11], bytes[12],
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[14..]));

    /// <summary>As a CPU reads it, the guest's or the VMM's.</summary>
    public static Descriptor Load(GuestMemory memory, long at)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        memory.Read(at, bytes);
        return Parse(bytes);
    }

    public void Store(GuestMemory memory, long at)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        CopyTo(bytes);
        memory.Write(at, bytes);
    }
}

using System.Buffers.Binary;

namespace ControlPlane.Hypervisor.Emulated.Mediated;

internal enum MediatedOperation : uint
{
    /// <summary>From the guest's memory into the framebuffer.</summary>
    Upload = 1,

    /// <summary>Adds to each byte in the framebuffer: the work that the device is there for.</summary>
    Add = 2,

    /// <summary>From the framebuffer into the guest's memory.</summary>
    Download = 3,

    /// <summary>Writes a number into the guest's memory and interrupts the guest: all before it is done.</summary>
    Fence = 4,
}

/// <summary>An entry of a command ring.</summary>
/// <param name="GuestAddress">Guest-physical.</param>
/// <param name="Offset">In the framebuffer, from the instance's first byte.</param>
/// <param name="Value">What is added, or the fence's number.</param>
internal readonly record struct MediatedCommand(MediatedOperation Operation, int Bytes, long GuestAddress, long Offset, long Value)
{
    public const int Size = 32;

    /// <summary>The most that one command moves.</summary>
    public const int MaxBytes = 4096;

    public static MediatedCommand Parse(ReadOnlySpan<byte> entry) => new(
        (MediatedOperation)BinaryPrimitives.ReadUInt32LittleEndian(entry), BinaryPrimitives.ReadInt32LittleEndian(entry[4..]),
        BinaryPrimitives.ReadInt64LittleEndian(entry[8..]), BinaryPrimitives.ReadInt64LittleEndian(entry[16..]), BinaryPrimitives.ReadInt64LittleEndian(entry[24..]));

    public void CopyTo(Span<byte> entry)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(entry, (uint)Operation);
        BinaryPrimitives.WriteInt32LittleEndian(entry[4..], Bytes);
        BinaryPrimitives.WriteInt64LittleEndian(entry[8..], GuestAddress);
        BinaryPrimitives.WriteInt64LittleEndian(entry[16..], Offset);
        BinaryPrimitives.WriteInt64LittleEndian(entry[24..], Value);
    }
}

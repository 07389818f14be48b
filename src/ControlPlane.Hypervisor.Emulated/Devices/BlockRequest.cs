using System.Buffers.Binary;

namespace ControlPlane.Hypervisor.Emulated.Devices;

/// <summary>
/// A request of virtio-blk (virtio 1.2, 5.2.6): a header that the device reads, data in one or the other direction, and a byte of status that
/// the device writes.
/// </summary>
internal static class BlockRequest
{
    public const uint In = 0;
    public const uint Out = 1;
    public const uint Flush = 4;

    public const byte Done = 0;
    public const byte IoError = 1;
    public const byte Unsupported = 2;

    public const int HeaderBytes = 16;

    public static void FormatHeader(Span<byte> header, uint type, long sector)
    {
        header[..HeaderBytes].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header, type);
        BinaryPrimitives.WriteInt64LittleEndian(header[8..], sector);
    }

    public static (uint Type, long Sector) ParseHeader(ReadOnlySpan<byte> header) =>
        (BinaryPrimitives.ReadUInt32LittleEndian(header), BinaryPrimitives.ReadInt64LittleEndian(header[8..]));
}

/// <summary>Where in guest memory the driver of one disk has its queue and buffers.</summary>
/// <param name="At">The first byte, at the start of a page.</param>
internal readonly record struct DiskArea(long At)
{
    /// <summary>Requests that can be under way.</summary>
    public const int Slots = 32;

    public const int BufferBytes = 4096;

    public const long Bytes = (QueuePages + 1 + Slots) * PageBytes;

    private const int QueuePages = 2;
    private const long PageBytes = 4096;
    private const int StatusAt = 2048;

    public long HeaderOf(int slot) => At + (QueuePages * PageBytes) + (slot * BlockRequest.HeaderBytes);

    public long StatusOf(int slot) => At + (QueuePages * PageBytes) + StatusAt + slot;

    public long BufferOf(int slot) => At + ((QueuePages + 1) * PageBytes) + (slot * (long)BufferBytes);
}

using System.Buffers.Binary;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>
/// A ring of requests and responses in one page that two domains share (Xen: <c>xen/include/public/io/ring.h</c>). Requests and responses lie in
/// the same places; each side writes its producer index, and the index at which it wants to hear from the other.
/// </summary>
/// <param name="at">The page.</param>
/// <param name="entryBytes">Of the longer of request and response.</param>
internal sealed class SharedRing(GuestMemory memory, long at, int entryBytes)
{
    /// <summary>As many entries as fit into the page with both kinds of ring, rounded down to a power of two.</summary>
    public const int Size = 256;

    private const int EntriesAt = 64;

    public uint RequestProducer
    {
        get => Read(0);
        set => Write(0, value);
    }

    public uint RequestEvent
    {
        get => Read(4);
        set => Write(4, value);
    }

    public uint ResponseProducer
    {
        get => Read(8);
        set => Write(8, value);
    }

    public uint ResponseEvent
    {
        get => Read(12);
        set => Write(12, value);
    }

    public void ReadEntry(uint index, Span<byte> into) => memory.Read(Place(index), into[..entryBytes]);

    public void WriteEntry(uint index, ReadOnlySpan<byte> entry) => memory.Write(Place(index), entry[..entryBytes]);

    /// <summary><c>SHARED_RING_INIT</c>: empty, and both sides want to hear of the first entry.</summary>
    public void Clear() => (RequestProducer, ResponseProducer, RequestEvent, ResponseEvent) = (0, 0, 1, 1);

    /// <summary><c>RING_PUSH_…_AND_CHECK_NOTIFY</c>: true when the producer has passed the index that the other side waits for.</summary>
    public static bool Passed(uint waitedFor, uint producer, uint before) => producer - waitedFor < producer - before;

    private long Place(uint index) => at + EntriesAt + (index % Size * entryBytes);

    private uint Read(int offset)
    {
        Span<byte> bytes = stackalloc byte[4];
        memory.Read(at + offset, bytes);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    private void Write(int offset, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        memory.Write(at + offset, bytes);
    }
}

using System.Buffers.Binary;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>
/// One of the two message queues of a virtual interface (Raj and Schwan, High Performance and Self-Virtualized I/O Devices, HPDC 2007, 3.1): a
/// page that guest and device share, with how far each has come, and the lengths of the messages, which lie in pages of their own.
/// </summary>
/// <param name="at">The page.</param>
internal sealed class MessageQueue(GuestMemory memory, long at)
{
    public const int Size = DriverMemory.Frames;

    private const int LengthsAt = 64;

    /// <summary>Messages put in so far; the writer's.</summary>
    public uint Produced
    {
        get => Read(0);
        set => Write(0, value);
    }

    /// <summary>Messages taken out so far; the reader's.</summary>
    public uint Consumed
    {
        get => Read(4);
        set => Write(4, value);
    }

    /// <summary>Whether the reader wants a signal; while it looks for itself it wants none.</summary>
    public bool WantsSignals
    {
        get => Read(8) != 0;
        set => Write(8, value ? 1u : 0);
    }

    public bool IsFull => Produced - Consumed == Size;

    public bool IsEmpty => Produced == Consumed;

    public int LengthOf(uint message) => (int)Read(PlaceOf(message));

    public void SetLength(uint message, int bytes) => Write(PlaceOf(message), (uint)bytes);

    public void Clear() => (Produced, Consumed, WantsSignals) = (0, 0, true);

    private static int PlaceOf(uint message) => LengthsAt + ((int)(message % Size) * sizeof(uint));

    private uint Read(int offset)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        memory.Read(at + offset, bytes);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    private void Write(int offset, uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        memory.Write(at + offset, bytes);
    }
}

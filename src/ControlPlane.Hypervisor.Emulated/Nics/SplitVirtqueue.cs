using System.Buffers.Binary;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>One descriptor of a virtqueue (virtio 1.2, 2.7.5).</summary>
/// <param name="Next">The chain's next descriptor, when <paramref name="Flags"/> say that there is one.</param>
internal readonly record struct VirtqueueDescriptor(long Address, int Length, ushort Flags, ushort Next)
{
    public const ushort HasNext = 1;
    public const ushort DeviceWrites = 2;
}

/// <summary>
/// A split virtqueue as it lies in guest memory (virtio 1.2, 2.7): the descriptor table, the ring of available chains that the driver writes,
/// and the ring of used ones that the device writes.
/// </summary>
/// <param name="at">A page of its own.</param>
internal sealed class SplitVirtqueue(GuestMemory memory, long at)
{
    /// <summary>Two descriptors for each frame: virtio's header and the frame.</summary>
    public const int Size = 2 * DriverMemory.Frames;

    /// <summary>2.7.6.1: the driver wants no interrupts; 2.7.8: the device wants no kicks. Without the event index.</summary>
    public const ushort NoNotifications = 1;

    private const int AvailableAt = 16 * Size;
    private const int UsedAt = AvailableAt + 6 + (2 * Size) + 2;

    public VirtqueueDescriptor Descriptor(int index)
    {
        Span<byte> bytes = stackalloc byte[16];
        memory.Read(at + (index * 16), bytes);
        return new VirtqueueDescriptor(
            BinaryPrimitives.ReadInt64LittleEndian(bytes), BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]),
            BinaryPrimitives.ReadUInt16LittleEndian(bytes[12..]), BinaryPrimitives.ReadUInt16LittleEndian(bytes[14..]));
    }

    public void SetDescriptor(int index, VirtqueueDescriptor descriptor)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, descriptor.Address);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], descriptor.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[12..], descriptor.Flags);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[14..], descriptor.Next);
        memory.Write(at + (index * 16), bytes);
    }

    public ushort AvailableFlags
    {
        get => Read16(AvailableAt);
        set => Write16(AvailableAt, value);
    }

    public ushort AvailableIndex
    {
        get => Read16(AvailableAt + 2);
        set => Write16(AvailableAt + 2, value);
    }

    public ushort AvailableHead(ushort index) => Read16(AvailableAt + 4 + (2 * (index % Size)));

    public void SetAvailableHead(ushort index, ushort head) => Write16(AvailableAt + 4 + (2 * (index % Size)), head);

    /// <summary>2.7.7.2: the used entry at which the driver wants the next interrupt.</summary>
    public ushort UsedEvent
    {
        get => Read16(AvailableAt + 4 + (2 * Size));
        set => Write16(AvailableAt + 4 + (2 * Size), value);
    }

    public ushort UsedFlags
    {
        get => Read16(UsedAt);
        set => Write16(UsedAt, value);
    }

    public ushort UsedIndex
    {
        get => Read16(UsedAt + 2);
        set => Write16(UsedAt + 2, value);
    }

    public (int Head, int Length) Used(ushort index)
    {
        Span<byte> bytes = stackalloc byte[8];
        memory.Read(at + UsedAt + 4 + (8 * (index % Size)), bytes);
        return (BinaryPrimitives.ReadInt32LittleEndian(bytes), BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]));
    }

    public void SetUsed(ushort index, int head, int length)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, head);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], length);
        memory.Write(at + UsedAt + 4 + (8 * (index % Size)), bytes);
    }

    /// <summary>2.7.10: the available entry at which the device wants the next kick.</summary>
    public ushort AvailableEvent
    {
        get => Read16(UsedAt + 4 + (8 * Size));
        set => Write16(UsedAt + 4 + (8 * Size), value);
    }

    /// <summary>Empty rings, as the driver leaves them before it tells the device where they are.</summary>
    public void Clear()
    {
        (AvailableFlags, AvailableIndex, UsedEvent) = (0, 0, 0);
        (UsedFlags, UsedIndex, AvailableEvent) = (0, 0, 0);
    }

    /// <summary>2.7.10 and Linux's <c>vring_need_event</c>: true when the index has passed the one that the other side waits for.</summary>
    public static bool Passed(ushort waitedFor, ushort index, ushort before) => (ushort)(index - waitedFor - 1) < (ushort)(index - before);

    private ushort Read16(int offset)
    {
        Span<byte> bytes = stackalloc byte[2];
        memory.Read(at + offset, bytes);
        return BinaryPrimitives.ReadUInt16LittleEndian(bytes);
    }

    private void Write16(int offset, ushort value)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, value);
        memory.Write(at + offset, bytes);
    }
}

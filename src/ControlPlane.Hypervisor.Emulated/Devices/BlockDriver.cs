using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Nics;

namespace ControlPlane.Hypervisor.Emulated.Devices;

/// <summary>What became of a request.</summary>
/// <param name="Tag">As it was given with the request.</param>
/// <param name="Buffer">Where in guest memory its data are, until the answer was heard.</param>
internal readonly record struct BlockAnswer(uint Type, long Sector, long Tag, byte Status, long Buffer);

/// <summary>A guest's driver of a virtio-blk: 32 requests under way, each of a header, one buffer and a status.</summary>
/// <param name="eventIndex">Firmware does without; it waits and looks.</param>
internal sealed class BlockDriver(
    GuestMemory memory, DiskArea area, SplitVirtqueue queue, bool eventIndex, BlockDevice device, DiskCounters counters, ExitCounters exits)
{
    private readonly VirtqueueDriver driver = new(queue, eventIndex);
    private readonly Slot[] slots = new Slot[DiskArea.Slots];
    private readonly Stack<int> free = new(Enumerable.Range(0, DiskArea.Slots).Reverse());

    /// <summary>Told each answer, in the order in which they come.</summary>
    public Action<BlockAnswer>? Answered { get; set; }

    public int Pending => driver.Pending;

    /// <param name="more">Another request follows at once, so that the device need not be told yet.</param>
    /// <returns>False: as many requests as can be are under way.</returns>
    public bool TryRead(long sector, int bytes, long tag = 0, bool more = false) => TrySubmit(BlockRequest.In, sector, bytes, default, tag, more);

    public bool TryWrite(long sector, ReadOnlySpan<byte> data, long tag = 0, bool more = false) =>
        TrySubmit(BlockRequest.Out, sector, data.Length, data, tag, more);

    public bool TryFlush(bool more = false) => TrySubmit(BlockRequest.Flush, 0, 0, default, 0, more);

    /// <summary>Tells the device of what was submitted, if it wants to be told.</summary>
    public void Kick()
    {
        if (!driver.MustKick())
        {
            counters.SuppressedKicks++;
            return;
        }
        counters.Kicks++;
        counters.Exits++;
        exits.Count(ExitReason.Mmio);
        device.Kick();
    }

    /// <summary>The interrupt handler: takes back what is done.</summary>
    public void Reap()
    {
        Span<byte> status = stackalloc byte[1];
        driver.WantNoInterrupt();
        while (driver.TryTakeUsed(out var head, out _))
        {
            var number = head / DescriptorsEach;
            var slot = slots[number];
            memory.Read(area.StatusOf(number), status);
            free.Push(number);
            Answered?.Invoke(new BlockAnswer(slot.Type, slot.Sector, slot.Tag, status[0], area.BufferOf(number)));
        }
        driver.WantInterrupt();
    }

    /// <summary>No interrupts: the driver looks for itself.</summary>
    public void Poll() => driver.WantNoInterrupt();

    /// <summary>The guest goes on on another host.</summary>
    public void TakeOver(BlockDriver source)
    {
        driver.TakeOver(source.driver);
        source.slots.CopyTo(slots, 0);
        free.Clear();
        foreach (var slot in source.free.Reverse())
            free.Push(slot);
    }

    private const int DescriptorsEach = 3;

    private bool TrySubmit(uint type, long sector, int bytes, ReadOnlySpan<byte> data, long tag, bool more)
    {
        if (!free.TryPop(out var number))
            return false;
        slots[number] = new Slot(type, sector, tag);
        Span<byte> header = stackalloc byte[BlockRequest.HeaderBytes];
        BlockRequest.FormatHeader(header, type, sector);
        memory.Write(area.HeaderOf(number), header);
        if (data.Length > 0)
            memory.Write(area.BufferOf(number), data);
        var head = (ushort)(number * DescriptorsEach);
        var next = (ushort)(head + 1);
        queue.SetDescriptor(head, new VirtqueueDescriptor(area.HeaderOf(number), BlockRequest.HeaderBytes, VirtqueueDescriptor.HasNext, next));
        if (bytes > 0)
        {
            var flags = type == BlockRequest.In ? VirtqueueDescriptor.HasNext | VirtqueueDescriptor.DeviceWrites : VirtqueueDescriptor.HasNext;
            queue.SetDescriptor(next, new VirtqueueDescriptor(area.BufferOf(number), bytes, (ushort)flags, (ushort)(next + 1)));
            next++;
        }
        queue.SetDescriptor(next, new VirtqueueDescriptor(area.StatusOf(number), 1, VirtqueueDescriptor.DeviceWrites, 0));
        driver.Offer(head);
        if (!more || free.Count == 0)
            Kick();
        return true;
    }

    private readonly record struct Slot(uint Type, long Sector, long Tag);
}

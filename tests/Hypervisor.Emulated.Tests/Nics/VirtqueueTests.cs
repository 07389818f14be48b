using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Net;
using ControlPlane.Hypervisor.Emulated.Nics;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Nics;

/// <summary>Split virtqueues in guest memory (virtio 1.2, 2.7), and who tells whom when.</summary>
public sealed class VirtqueueTests : IDisposable
{
    private readonly NicStand stand = new();

    public void Dispose() => stand.Dispose();

    private VirtioNic NewNic(bool eventIndex = true) => new(stand.Slot, new VirtioFeatures(eventIndex), stand.Send);

    [Fact] // 2.7.10: vring_need_event, also where the 16-bit indices wrap.
    public void An_index_is_passed_once_also_across_the_wrap()
    {
        Assert.True(SplitVirtqueue.Passed(waitedFor: 4, index: 5, before: 3));
        Assert.False(SplitVirtqueue.Passed(waitedFor: 4, index: 4, before: 3));
        Assert.False(SplitVirtqueue.Passed(waitedFor: 4, index: 7, before: 5));
        Assert.True(SplitVirtqueue.Passed(waitedFor: 65535, index: 0, before: 65534));
        Assert.False(SplitVirtqueue.Passed(waitedFor: 65535, index: 1, before: 0));
    }

    [Fact]
    public void The_rings_lie_in_guest_memory_where_the_device_was_told()
    {
        NewNic().Send(NicStand.NewFrame());

        var queue = new SplitVirtqueue(stand.Memory, stand.Slot.Rings.RingPage(2));
        Assert.Equal(1, queue.AvailableIndex);
        var header = queue.Descriptor(queue.AvailableHead(0));
        Assert.Equal((12, VirtqueueDescriptor.HasNext), (header.Length, header.Flags));
        Assert.Equal(114, queue.Descriptor(header.Next).Length);
        Assert.Equal(0, queue.UsedIndex);

        stand.Settle();
        Assert.Equal(1, queue.UsedIndex);
        Assert.Equal(queue.AvailableHead(0), queue.Used(0).Head);
    }

    [Theory] // What VHOST_GET_VRING_BASE gives, and what the driver keeps for itself.
    [InlineData(0)]
    [InlineData(1000)]
    public void A_NIC_goes_on_in_another_VMM_with_what_was_under_way(int before)
    {
        var nic = NewNic();
        stand.Exchange(nic, before);
        var (sent, taken) = (stand.Sent.Count, stand.Taken.Count);
        for (byte mark = 1; mark <= 5; mark++)
            nic.Send(NicStand.NewFrame(mark), more: mark < 5);
        nic.Receive(NicStand.NewFrame(9));
        Assert.Equal((sent, taken), (stand.Sent.Count, stand.Taken.Count));

        var next = stand.NewSlot();
        var state = nic.Save();
        stand.Slot.Empty();
        var arrived = new VirtioNic(next, new VirtioFeatures(), stand.Send, state);
        stand.Settle();

        Assert.Equal(Enumerable.Range(1, 5), stand.Sent.Skip(sent).Select(f => (int)f.Payload.Span[0]));
        Assert.Equal(9, Assert.Single(stand.Taken.Skip(taken)).Payload.Span[0]);
        Assert.Equal((5, 0), (stand[NicCount.TravelledChains], stand[NicCount.DroppedFrames]));
        stand.Exchange(arrived, 1000);
        Assert.Equal((sent + 1005, taken + 1001, 0), (stand.Sent.Count, stand.Taken.Count, stand[NicCount.DroppedFrames]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void While_the_worker_has_work_further_frames_need_no_kick(bool eventIndex)
    {
        var nic = NewNic(eventIndex);

        for (byte mark = 1; mark <= 10; mark++)
            nic.Send(NicStand.NewFrame(mark));
        stand.Settle();

        Assert.Equal(Enumerable.Range(1, 10), stand.Sent.Select(f => (int)f.Payload.Span[0]));
        Assert.Equal((1, 9), (stand[NicCount.Kicks], stand[NicCount.SuppressedKicks]));
        Assert.Equal(1, stand.Exits[ExitReason.Mmio]);
        nic.Send(NicStand.NewFrame());
        Assert.Equal(2, stand[NicCount.Kicks]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_burst_of_received_frames_is_one_interrupt(bool eventIndex)
    {
        var nic = NewNic(eventIndex);

        for (byte mark = 1; mark <= 10; mark++)
            nic.Receive(NicStand.NewFrame(mark));
        Assert.Empty(stand.Taken);
        stand.Settle();

        Assert.Equal(Enumerable.Range(1, 10), stand.Taken.Select(f => (int)f.Payload.Span[0]));
        Assert.Equal(1, stand[NicCount.Interrupts]);
        Assert.Equal(10, stand[NicCount.Copies]);
        nic.Receive(NicStand.NewFrame());
        stand.Settle();
        Assert.Equal(2, stand[NicCount.Interrupts]);
    }

    [Fact]
    public void The_rings_go_round_many_times_and_lose_nothing()
    {
        var nic = NewNic();
        stand.Exchange(nic, frames: 40_000);

        Assert.Equal((40_000, 40_000, 0), (stand.Sent.Count, stand.Taken.Count, stand[NicCount.DroppedFrames]));
    }

    [Fact]
    public void A_guest_whose_CPUs_stand_still_keeps_as_many_frames_as_it_has_buffers_and_takes_them_later()
    {
        var nic = NewNic();
        stand.Runs = false;
        for (var n = 0; n < DriverMemory.Frames + 10; n++)
            nic.Receive(NicStand.NewFrame());
        stand.Settle();
        Assert.Equal((0, 10, 0), (stand.Taken.Count, stand[NicCount.DroppedFrames], stand[NicCount.Interrupts]));

        stand.Runs = true;
        nic.Resume();
        stand.Settle();

        Assert.Equal((DriverMemory.Frames, 1), (stand.Taken.Count, stand[NicCount.Interrupts]));
    }

    [Fact] // 5.1.6.3.2: num_buffers.
    public void A_large_frame_is_spread_over_receive_buffers_and_comes_out_whole()
    {
        var sent = NicStand.NewFrame(bytes: 50_000) with { SegmentBytes = 1460 };

        NewNic().Receive(sent);
        stand.Settle();

        var taken = Assert.Single(stand.Taken);
        Assert.Equal(1460, taken.SegmentBytes);
        Assert.Equal(sent.Payload.ToArray(), taken.Payload.ToArray());
        Assert.Equal((1, 1), (stand[NicCount.Copies], stand[NicCount.Interrupts]));
    }

    [Fact]
    public void A_large_frame_leaves_the_guest_with_one_copy_and_its_segment_size()
    {
        NewNic().Send(NicStand.NewFrame(mark: 7, bytes: 60_000) with { SegmentBytes = 1460 });
        stand.Settle();

        var sent = Assert.Single(stand.Sent);
        Assert.Equal((1460, 60_000, (byte)7), (sent.SegmentBytes, sent.Payload.Length, sent.Payload.Span[59_999]));
        Assert.Equal((1, 60_014), (stand[NicCount.Copies], stand[NicCount.CopiedBytes]));
    }

    [Fact]
    public void What_the_host_writes_into_the_rings_is_in_the_dirty_log()
    {
        var nic = NewNic();
        stand.Memory.StartDirtyLog();

        nic.Receive(NicStand.NewFrame());

        var dirty = stand.Memory.TakeDirty();
        Assert.True(dirty.Contains(stand.Slot.Rings.ReceiveBuffer(0) / 4096));
        Assert.True(dirty.Contains(stand.Slot.Rings.RingPage(1) / 4096)); // The used ring.
    }
}

using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Net;
using ControlPlane.Hypervisor.Emulated.Nics;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;
using ControlPlane.Hypervisor.Emulated.Tours;

namespace ControlPlane.Hypervisor.Emulated.Tests.Nics;

/// <summary>A virtual interface of two message queues that the device itself serves.</summary>
public sealed class SelfVirtualizedTests
{
    [Fact]
    public void Sending_leaves_the_guest_not_once_and_copies_nothing()
    {
        using var stand = new NicStand();
        var nic = new SelfVirtualizedNic(stand.Slot, stand.Switch);
        var made = stand.Exits.Total;
        Assert.Equal(1, stand.Exits[ExitReason.Hypercall]);

        for (byte n = 0; n < 10; n++)
            nic.Send(NicStand.NewFrame(n));
        Assert.Empty(stand.Sent);
        stand.Settle();

        Assert.Equal(Enumerable.Range(0, 10), stand.Sent.Select(f => (int)f.Payload.Span[0]));
        Assert.Equal((made, 0, 10), (stand.Exits.Total, stand[NicCount.Copies], stand[NicCount.DmaReads]));
    }

    [Fact]
    public void Messages_that_come_together_are_one_signal_which_the_vmm_delivers()
    {
        using var stand = new NicStand();
        var nic = new SelfVirtualizedNic(stand.Slot, stand.Switch);
        var made = stand.Exits.Total;

        for (byte n = 0; n < 10; n++)
            nic.Receive(NicStand.NewFrame(n));
        stand.Settle();

        Assert.Equal(Enumerable.Range(0, 10), stand.Taken.Select(f => (int)f.Payload.Span[0]));
        Assert.Equal((1, 9, 1), (stand[NicCount.Interrupts], stand[NicCount.SuppressedInterrupts], stand[NicCount.HostInterrupts]));
        Assert.Equal((2, 0), (stand.Exits.Total - made, stand[NicCount.Copies]));
    }

    [Fact]
    public void Queues_hold_so_many_messages_and_no_more()
    {
        using var stand = new NicStand { Runs = false };
        var nic = new SelfVirtualizedNic(stand.Slot, stand.Switch);

        for (var n = 0; n < MessageQueue.Size + 5; n++)
        {
            nic.Send(NicStand.NewFrame());
            nic.Receive(NicStand.NewFrame());
        }
        Assert.Equal(10, stand[NicCount.DroppedFrames]);
        stand.Runs = true;
        nic.Resume();
        stand.Settle();

        Assert.Equal((MessageQueue.Size, MessageQueue.Size), (stand.Taken.Count, stand.Sent.Count));
        nic.Receive(NicStand.NewFrame());
        stand.Settle(100);
        Assert.Equal(MessageQueue.Size + 1, stand.Taken.Count);
    }

    [Fact]
    public void A_message_for_which_the_switch_has_no_room_stays_until_it_has()
    {
        using var stand = new NicStand();
        var open = false;
        var nic = new SelfVirtualizedNic(stand.Slot, frame => open && stand.Switch(frame));
        nic.Send(NicStand.NewFrame(1));
        nic.Send(NicStand.NewFrame(2));
        stand.Settle();
        Assert.Empty(stand.Sent);

        open = true;
        nic.Look();
        stand.Settle();

        Assert.Equal([1, 2], stand.Sent.Select(f => (int)f.Payload.Span[0]));
    }

    [Fact]
    public void Queues_go_round_for_as_long_as_one_likes()
    {
        using var stand = new NicStand();
        var nic = new SelfVirtualizedNic(stand.Slot, stand.Switch);
        for (var n = 0; n < 1000; n++)
        {
            nic.Send(NicStand.NewFrame((byte)n));
            nic.Receive(NicStand.NewFrame((byte)n));
            stand.Settle(100);
        }

        Assert.Equal(Enumerable.Range(0, 1000).Select(n => (byte)n), stand.Sent.Select(f => f.Payload.Span[0]));
        Assert.Equal(Enumerable.Range(0, 1000).Select(n => (byte)n), stand.Taken.Select(f => f.Payload.Span[0]));
    }

    [Fact] // Between VMDq, whose frames the VMM copies, and a function, whose interrupts the VMM does not see.
    public void It_costs_less_than_sorted_queues_and_more_exits_than_a_function()
    {
        var (sorted, own, function) = (NicRun.Measure("vmdq", 50, 1514), NicRun.Measure(NicRun.SelfVirtualized, 50, 1514), NicRun.Measure(TourNic.Function, 50, 1514));

        Assert.Equal((2 * 16 * 50, 0), (own.Frames, own.DroppedFrames));
        Assert.True(sorted.Exits > own.Exits && own.Exits > function.Exits, $"{sorted} {own} {function}");
        Assert.Equal((0, 0), (own.Copies, own.CopiedBytes));
        Assert.Equal(own.Exits, 2 * own.Interrupts);
    }

    [Fact]
    public void What_the_guest_sends_leaves_the_host()
    {
        using var run = new NicRun(NicRun.SelfVirtualized, 100);
        run.Burst(10, TimeSpan.FromMicroseconds(20));
        run.Burst(10, TimeSpan.FromMicroseconds(20));

        Assert.Equal(20, run.Heard);
    }
}

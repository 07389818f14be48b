using System.Buffers.Binary;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Nics;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Nics;

/// <summary>Front and back end over granted pages and shared rings, as Xen has them.</summary>
public sealed class SplitDriverTests : IDisposable
{
    private readonly NicStand stand = new();

    public void Dispose() => stand.Dispose();

    [Fact]
    public void Frames_pass_both_ways_by_one_hypercall_a_burst_and_no_end_of_interrupt()
    {
        var nic = new XenNic(stand.Slot, stand.Send);
        for (byte mark = 1; mark <= 10; mark++)
            nic.Send(NicStand.NewFrame(mark, bytes: 1000));
        stand.Settle();
        for (byte mark = 1; mark <= 10; mark++)
            nic.Receive(NicStand.NewFrame(mark, bytes: 1000));
        stand.Settle();

        Assert.Equal(Enumerable.Range(1, 10), stand.Sent.Select(f => (int)f.Payload.Span[999]));
        Assert.Equal(Enumerable.Range(1, 10), stand.Taken.Select(f => (int)f.Payload.Span[999]));
        Assert.Equal((1, 0), (stand.Exits[ExitReason.Hypercall], stand.Exits[ExitReason.ApicAccess]));
        Assert.Equal((10, 10), (stand[NicCount.GrantMaps], stand[NicCount.GrantCopies]));
        // Of what is sent only the headers are copied.
        Assert.Equal(10 * (128 + 1014), stand[NicCount.CopiedBytes]);
    }

    [Fact]
    public void The_back_end_uses_no_page_that_was_not_granted()
    {
        var nic = new XenNic(stand.Slot, stand.Send);
        var ring = NetFront.TransmitRingOf(stand.Slot);
        // A front end that names a reference without granting it.
        Span<byte> request = stackalloc byte[NetFront.TransmitEntryBytes];
        BinaryPrimitives.WriteInt32LittleEndian(request, 400);
        BinaryPrimitives.WriteUInt16LittleEndian(request[10..], 100);
        nic.Send(NicStand.NewFrame());
        ring.WriteEntry(1, request);
        ring.RequestProducer = 2;
        stand.Settle();

        Assert.Single(stand.Sent);
        Assert.Equal(1, stand[NicCount.RefusedGrants]);
        ring.ReadEntry(1, request);
        Assert.Equal(-1, BinaryPrimitives.ReadInt16LittleEndian(request[2..]));
    }

    [Fact]
    public void A_grant_that_was_ended_or_is_for_reading_is_not_written()
    {
        var grants = NetFront.GrantsOf(stand.Slot);
        grants.Permit(8, 0x5000, readOnly: true);
        grants.Permit(9, 0x6000, readOnly: false);
        Assert.Equal((0x5000L, null), (grants.Find(8, write: false), grants.Find(8, write: true)));
        Assert.Equal(0x6000L, grants.Find(9, write: true));

        grants.End(9);

        Assert.Null(grants.Find(9, write: false));
        Assert.Null(grants.Find(100_000, write: false));
    }

    [Fact]
    public void Sorted_frames_wait_in_the_VMMs_queue_for_its_interrupt_and_come_with_one()
    {
        var nic = new VmdqNic(stand.Slot, stand.Send);
        nic.Receive(NicStand.NewFrame());
        stand.Settle();
        for (var n = 0; n < 5; n++)
        {
            nic.Receive(NicStand.NewFrame());
            stand.Settle(microseconds: 5);
        }
        Assert.Equal((1, 1), (stand.Taken.Count, stand[NicCount.HostInterrupts]));

        stand.Settle(microseconds: 50);

        Assert.Equal((6, 2, 2), (stand.Taken.Count, stand[NicCount.HostInterrupts], stand[NicCount.Interrupts]));
    }

    [Fact]
    public void The_NIC_reads_what_a_sorted_guest_sends_without_a_copy()
    {
        var nic = new VmdqNic(stand.Slot, stand.Send);
        for (var n = 0; n < 4; n++)
            nic.Send(NicStand.NewFrame());
        stand.Settle();

        Assert.Equal((4, 0, 4), (stand.Sent.Count, stand[NicCount.Copies], stand[NicCount.DmaReads]));
    }

    [Fact]
    public void The_rings_go_round_many_times_and_lose_nothing()
    {
        var nic = new XenNic(stand.Slot, stand.Send);
        stand.Exchange(nic, frames: 1000);

        Assert.Equal((1000, 1000, 0), (stand.Sent.Count, stand.Taken.Count, stand[NicCount.DroppedFrames]));
    }
}

using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Nics;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Nics;

/// <summary>Registers that trap, and rings of legacy descriptors in guest memory.</summary>
public sealed class E1000Tests : IDisposable
{
    private readonly NicStand stand = new();

    public void Dispose() => stand.Dispose();

    [Fact] // Tail write, cause read and end of interrupt: three exits for each frame that is sent.
    public void Each_frame_sent_costs_a_tail_write_an_interrupt_and_a_read_of_its_cause()
    {
        var nic = new E1000Nic(stand.Slot, stand.Send);
        var (exits, writes) = (stand.Exits.Total, stand[NicCount.RegisterWrites]);

        for (var n = 0; n < 10; n++)
            nic.Send(NicStand.NewFrame());

        Assert.Equal(10, stand.Sent.Count);
        Assert.Equal((10, 10, 10), (stand[NicCount.RegisterWrites] - writes, stand[NicCount.RegisterReads], stand[NicCount.Interrupts]));
        Assert.Equal(30, stand.Exits.Total - exits);
        Assert.Equal(0, stand.Exits[ExitReason.ExternalInterrupt]);
        Assert.Equal(20, stand[NicCount.Copies]);
    }

    [Fact]
    public void The_device_marks_descriptors_done_in_guest_memory()
    {
        var nic = new E1000Nic(stand.Slot, stand.Send);

        nic.Send(NicStand.NewFrame());
        nic.Receive(NicStand.NewFrame(mark: 9));

        Assert.Equal(Descriptor.Done, Descriptor.Load(stand.Memory, stand.Slot.Rings.RingPage(1)).Status);
        var received = Descriptor.Load(stand.Memory, stand.Slot.Rings.RingPage(0));
        Assert.Equal((114, Descriptor.Done | Descriptor.ReceivedEnd), (received.Length, received.Status));
        var buffer = new byte[1];
        stand.Memory.Read(received.Address + 14, buffer);
        Assert.Equal(9, buffer[0]);
    }

    [Fact]
    public void A_burst_received_is_one_interrupt_since_the_line_is_up_already()
    {
        var nic = new E1000Nic(stand.Slot, stand.Send);
        for (var n = 0; n < 10; n++)
            nic.Receive(NicStand.NewFrame());
        stand.Settle();

        Assert.Equal((10, 1), (stand.Taken.Count, stand[NicCount.Interrupts]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    public void A_NIC_goes_on_in_another_VMM_with_what_its_guest_had_not_taken(int before)
    {
        var nic = new E1000Nic(stand.Slot, stand.Send);
        stand.Exchange(nic, before);
        stand.Runs = false;
        nic.Receive(NicStand.NewFrame(9));
        stand.Settle();
        var (sent, taken, registers) = (stand.Sent.Count, stand.Taken.Count, stand[NicCount.RegisterWrites]);

        var next = stand.NewSlot();
        var state = nic.Save();
        stand.Slot.Empty();
        var arrived = new E1000Nic(next, stand.Send, state);
        stand.Runs = true;
        arrived.Resume();
        stand.Settle();

        Assert.Equal(9, Assert.Single(stand.Taken.Skip(taken)).Payload.Span[0]);
        // The driver knows nothing of the move: but for the tail, which gives the buffer back, it programs nothing.
        Assert.Equal(registers + 1, stand[NicCount.RegisterWrites]);
        stand.Exchange(arrived, 1000);
        Assert.Equal((sent + 1000, taken + 1001, 0), (stand.Sent.Count, stand.Taken.Count, stand[NicCount.DroppedFrames]));
    }

    [Fact]
    public void The_rings_go_round_many_times_and_lose_nothing()
    {
        var nic = new E1000Nic(stand.Slot, stand.Send);
        stand.Exchange(nic, frames: 1000);

        Assert.Equal((1000, 1000, 0), (stand.Sent.Count, stand.Taken.Count, stand[NicCount.DroppedFrames]));
    }
}

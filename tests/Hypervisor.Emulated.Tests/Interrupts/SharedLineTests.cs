using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Interrupts;
using ControlPlane.Hypervisor.Emulated.Iommu;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Interrupts;

/// <summary>Lines that functions share, and descriptors that interrupts are posted to.</summary>
public sealed class SharedLineTests
{
    private static readonly PciAddress First7 = PciAddress.Parse("0000:07:01.0");
    private static readonly PciAddress Second7 = PciAddress.Parse("0000:07:02.0");

    private static (IntxRouting Pins, EmulatedFunction First, EmulatedFunction Second) Behind(int firstPin, int secondPin)
    {
        var tree = new PciTree(new MachineBlueprint(Captures.Sriov));
        var (first, second) = (tree.Find(First7)!, tree.Find(Second7)!);
        first.Config.Force(0x3d, 1, (uint)firstPin);
        second.Config.Force(0x3d, 1, (uint)secondPin);
        return (new IntxRouting(tree), first, second);
    }

    [Fact]
    public void A_bridge_turns_pins_by_device_number_so_that_neighbours_get_lines_of_their_own()
    {
        var (pins, first, second) = Behind(1, 1);
        Assert.Equal((pins.LineOf(first)!.Number + 1 - IntxRouting.FirstLine) % 4, pins.LineOf(second)!.Number - IntxRouting.FirstLine);

        var (shared, pinB, pinA) = Behind(2, 1);
        Assert.Same(shared.LineOf(pinB), shared.LineOf(pinA));
        var (none, without, _) = Behind(0, 1);
        Assert.Null(none.LineOf(without));
    }

    [Fact] // Linux: "irq 16: nobody cared"
    public void A_function_without_a_driver_storms_until_the_line_is_switched_off_for_its_neighbour_too()
    {
        var (pins, lost, good) = Behind(2, 1);
        var line = pins.LineOf(good)!;
        var served = 0;
        line.Register(good.Address, () => Serve(good));
        pins.Raise(good);
        Assert.Equal((1, 1, false), (served, line.Interrupts, line.IsDisabled));

        pins.Raise(lost);

        Assert.True(line.IsDisabled);
        Assert.Equal(IntxLine.Window, line.Interrupts);
        Assert.Equal(IntxLine.Window - 1, line.Unhandled);
        pins.Raise(good);
        Assert.Equal(1, served);

        bool Serve(EmulatedFunction function)
        {
            if (!IntxRouting.IsRaised(function))
                return false;
            served++;
            pins.Lower(function);
            return true;
        }
    }

    [Fact]
    public void A_driver_that_disconnects_the_pin_quiets_a_function_that_it_cannot_talk_to()
    {
        var (pins, assigned, good) = Behind(2, 1);
        var line = pins.LineOf(good)!;
        var injected = 0;
        line.Register(assigned.Address, () =>
        {
            if (!IntxRouting.IsRaised(assigned) || IntxRouting.IsDisconnected(assigned))
                return false;
            injected++;
            pins.Disconnect(assigned, on: true);
            return true;
        });

        pins.Raise(assigned);

        Assert.Equal((1, 1, 0, false), (injected, line.Interrupts, line.Unhandled, line.IsAsserted));
        pins.Disconnect(assigned, on: false);
        Assert.Equal(2, injected);
    }

    [Fact]
    public void A_descriptor_notifies_once_until_it_is_drained_and_keeps_each_vector_once()
    {
        var notified = 0;
        var descriptor = new PostedInterruptDescriptor(() => notified++);
        descriptor.Post(0x30);
        descriptor.Post(0x31);
        descriptor.Post(0x30);
        Assert.Equal((1, 2, true), (notified, descriptor.Coalesced, descriptor.IsOutstanding));

        var taken = new List<byte>();
        descriptor.Drain(taken.Add);
        Assert.Equal([0x30, 0x31], taken);
        descriptor.IsSuppressed = true;
        descriptor.Post(0x32);

        Assert.Equal((1, true), (notified, descriptor.HasRequests));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(0x7fff)]
    [InlineData(0x8000)]
    [InlineData(0xffff)]
    public void A_message_in_the_remappable_format_names_its_entry(int index)
    {
        Assert.True(InterruptMessages.IsAddress(InterruptMessages.AddressOf(index)));
        Assert.Equal(index, InterruptMessages.IndexOf(InterruptMessages.AddressOf(index)));
        Assert.Null(InterruptMessages.IndexOf(0xfee0_1000));
    }
}

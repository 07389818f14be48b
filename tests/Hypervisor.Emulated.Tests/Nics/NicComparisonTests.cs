using ControlPlane.Hypervisor.Emulated.Tours;

namespace ControlPlane.Hypervisor.Emulated.Tests.Nics;

/// <summary>One NIC, five ways, the same frames: what each way costs comes out in the order that its mechanism gives.</summary>
public sealed class NicComparisonTests
{
    private const int Bursts = 50;
    private static readonly Lazy<IReadOnlyList<NicCost>> Costs = new(() => [.. NicRun.Ways.Select(way => NicRun.Measure(way, Bursts, 1514))]);

    [Fact]
    public void Every_frame_arrives_by_every_way() =>
        Assert.All(Costs.Value, cost => Assert.Equal((2 * 16 * Bursts, 0), (cost.Frames, cost.DroppedFrames)));

    [Fact] // e1000 > virtio > Xen > VMDq > SR-IOV.
    public void Exits_copied_bytes_and_interrupts_fall_from_way_to_way()
    {
        foreach (var (more, less) in Costs.Value.Zip(Costs.Value.Skip(1)))
        {
            Assert.True(more.Exits > less.Exits, $"{more} {less}");
            Assert.True(more.CopiedBytes > less.CopiedBytes, $"{more} {less}");
            Assert.True(more.Interrupts >= less.Interrupts, $"{more} {less}");
            // A Xen back end copies the headers of what is sent: less, but as often as vhost copies all of it.
            Assert.True(more.Copies >= less.Copies, $"{more} {less}");
        }
        Assert.True(Costs.Value[0].Interrupts > Costs.Value[1].Interrupts && Costs.Value[^2].Interrupts > Costs.Value[^1].Interrupts);
    }

    [Fact]
    public void A_function_costs_no_exit_and_no_copy() => Assert.Equal((0, 0), (Costs.Value[^1].Exits, Costs.Value[^1].Copies));

    [Fact] // Two copies each way in a VMM's device model; one in the kernel's.
    public void Emulated_registers_copy_twice_as_much_as_virtqueues() => Assert.Equal(Costs.Value[0].Copies, 2 * Costs.Value[1].Copies);

    [Theory]
    [InlineData("e1000")]
    [InlineData("virtio")]
    [InlineData("xen")]
    [InlineData("vmdq")]
    [InlineData(TourNic.Function)]
    public void What_the_guest_sends_leaves_the_host(string way)
    {
        using var run = new NicRun(way, 100);
        run.Burst(10, TimeSpan.FromMicroseconds(20));
        run.Burst(10, TimeSpan.FromMicroseconds(20));

        Assert.Equal(20, run.Heard);
    }
}

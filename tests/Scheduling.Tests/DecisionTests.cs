using ControlPlane.Domain.Pci;
using ControlPlane.Scheduling.Tests.Fleets;

namespace ControlPlane.Scheduling.Tests;

public sealed class DecisionTests
{
    [Fact]
    public void A_virtual_function_is_claimed_at_the_generation_that_was_seen()
    {
        var fleet = new TestFleet();
        fleet.AddHost().WithNic(0x41, 2);
        var pool = fleet.AddPool();

        var placement = fleet.Snapshot.Place(TestFleet.Request() with { Devices = TestFleet.Want(pool, 1) });

        var device = Assert.Single(placement!.Devices);
        Assert.Equal(fleet.Hosts[0].Id, placement.Host);
        Assert.Equal(PciAddress.Parse("0000:41:00.0"), device.PhysicalFunction);
        Assert.Equal(new DeviceOwner(Ids.Vm(1), "dev"), device.Owner);
        Assert.Equal(fleet.Hosts[0].Devices[device.Address].Ownership.Generation, device.Expected);
        Assert.Empty(placement.Companions);
    }

    [Fact]
    public void Reserving_until_nothing_is_left_hands_out_every_function_once_and_then_explains()
    {
        var fleet = new TestFleet();
        fleet.AddHost().WithNic(0x41, 4);
        fleet.AddHost().WithNic(0x41, 3);
        var pool = fleet.AddPool();

        var taken = Enumerable.Range(1, 7).Select(vm => fleet.Snapshot.Reserve(TestFleet.Request(vm) with { Devices = TestFleet.Want(pool, 1) }).Value).ToArray();
        var refused = fleet.Snapshot.Reserve(TestFleet.Request(8) with { Devices = TestFleet.Want(pool, 1) });

        Assert.Equal(7, taken.Select(p => (p.Host, p.Devices[0].Address)).Distinct().Count());
        Assert.Equal("no-placement", refused.Fault?.Code);
        var explanation = Assert.IsType<Explanation.PlacementExplanation>(refused.Fault!.Extension);
        Assert.All(explanation.Hosts, h => Assert.Equal("release 0000:41:10.0", h.SmallestChange!.Sentence));
    }
}

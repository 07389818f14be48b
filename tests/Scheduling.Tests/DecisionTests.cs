using ControlPlane.Domain.Pci;
using ControlPlane.Scheduling.Placements;
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

    [Fact]
    public void An_explanation_of_many_hosts_is_bounded_counts_the_rest_and_begins_with_those_closest_to_fitting()
    {
        var fleet = new TestFleet(new SchedulingOptions { MaxExplainedHosts = 5 });
        for (var h = 0; h < 40; h++)
            fleet.AddHost().With(r => r with { Cordoned = h != 30 });
        var request = TestFleet.Request(1, 99);

        var explanation = fleet.Snapshot.Explain(request);

        Assert.Equal((40, 0, 5, 35), (explanation.HostsConsidered, explanation.HostsFitting, explanation.Hosts.Count, explanation.Omitted));
        Assert.Equal("hv31", explanation.Hosts[0].HostName);
        Assert.Equal([new Explanation.FailureCount("capacity", 40), new Explanation.FailureCount("host-state", 39)], explanation.Counts);
        Assert.Equal("0 of 40 hosts fit.", explanation.Summary);
    }

    [Fact]
    public void Changes_of_several_kinds_are_named_together()
    {
        var fleet = new TestFleet();
        fleet.AddHost().With(h => h with { State = ControlPlane.Domain.Hosts.HostState.Maintenance }).WithNic(0x41, 2, totalVfs: 7).Own("0000:41:10.0", Ids.Vm(9), DeviceState.Cleaning);
        var pool = fleet.AddPool();

        var change = fleet.Explain(TestFleet.Request(1, 40) with { Devices = TestFleet.Want(pool, 3) }).SmallestChange;

        Assert.Equal(
            "activate the host and ask for at most 32 vCPUs and create 2 more virtual functions on 0000:41:00.0 (2 of 7 exist, 1 in use)",
            change?.Sentence);
    }

    [Fact]
    public void A_cell_share_is_that_of_the_vm_and_a_vm_without_a_policy_floats()
    {
        var fleet = new TestFleet();
        fleet.AddHost();

        Assert.Empty(fleet.Snapshot.Place(TestFleet.Request())!.Cells);
        var preferred = fleet.Snapshot.Place(TestFleet.Request() with { NumaPolicy = ControlPlane.Domain.VirtualMachines.NumaPolicy.Preferred })!;
        Assert.Equal(preferred.Share, Assert.Single(preferred.Cells).Share);
    }
}

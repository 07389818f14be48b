using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Scheduling.Placements;
using ControlPlane.Scheduling.Tests.Fleets;

namespace ControlPlane.Scheduling.Tests;

public sealed class WeigherTests
{
    [Theory]
    [InlineData(FleetLayout.Spread, 2)]
    [InlineData(FleetLayout.Pack, 1)]
    public void The_fleets_layout_prefers_the_emptier_or_the_fuller_host(FleetLayout layout, int expected)
    {
        var fleet = new TestFleet(new SchedulingOptions { Layout = layout });
        fleet.AddHost();
        fleet.AddHost();
        fleet.Allocate(new VmAllocation(Ids.Vm(9), Ids.Project, Ids.Host(1), new HostShare(16, 32768), []));

        AllChoose(fleet, Ids.Host(expected), vm => TestFleet.Request(vm));
    }

    [Theory]
    [InlineData(GroupPolicy.Spread, 2)]
    [InlineData(GroupPolicy.Pack, 1)]
    public void A_groups_own_policy_outweighs_the_fleets_layout(GroupPolicy policy, int expected)
    {
        var fleet = new TestFleet(new SchedulingOptions { Layout = policy == GroupPolicy.Spread ? FleetLayout.Pack : FleetLayout.Spread });
        fleet.AddHost();
        fleet.AddHost();
        fleet.Allocate(new VmAllocation(Ids.Vm(9), Ids.Project, Ids.Host(1), new HostShare(16, 32768), [], "web"));

        AllChoose(fleet, Ids.Host(expected), vm => TestFleet.Request(vm) with { Group = "web", GroupPolicy = policy });
    }

    [Fact]
    public void A_vm_without_devices_stays_away_from_hosts_that_have_them()
    {
        var fleet = new TestFleet();
        fleet.AddHost().WithNic(0x41, 8);
        fleet.AddHost();
        fleet.AddPool();

        AllChoose(fleet, Ids.Host(2), vm => TestFleet.Request(vm));
    }

    [Fact]
    public void A_vm_with_a_nic_does_not_burn_a_host_with_accelerators()
    {
        var fleet = new TestFleet();
        var first = fleet.AddHost().WithNic(0x41, 8);
        for (var g = 0; g < 8; g++)
            first.WithGpu($"0000:8{g}:00.0");
        fleet.AddHost().WithNic(0x41, 8);
        var nics = fleet.AddPool();
        fleet.AddPool(PoolKind.Function, null, "gpus", new PoolMatch(0x10de));

        AllChoose(fleet, Ids.Host(2), vm => TestFleet.Request(vm) with { Devices = TestFleet.Want(nics, 1) });
    }

    [Fact]
    public void Devices_are_taken_where_most_are_left()
    {
        var fleet = new TestFleet();
        fleet.AddHost().WithNic(0x41, 2);
        fleet.AddHost().WithNic(0x41, 8);
        var pool = fleet.AddPool();

        AllChoose(fleet, Ids.Host(2), vm => TestFleet.Request(vm) with { Devices = TestFleet.Want(pool, 1) });
    }

    [Fact]
    public void A_preferred_numa_node_decides_between_hosts()
    {
        var fleet = new TestFleet();
        fleet.AddHost().WithNic(0x41, 1, node: 0).WithNic(0x42, 1, node: 1);
        fleet.AddHost().WithNic(0x41, 1, node: 1).WithNic(0x42, 1, node: 1);
        var pool = fleet.AddPool();

        AllChoose(fleet, Ids.Host(2), vm => TestFleet.Request(vm) with { Devices = TestFleet.Want(pool, 2), NumaPolicy = NumaPolicy.Preferred });
    }

    [Fact]
    public void When_no_node_has_room_for_the_vm_a_preferred_one_has_its_devices_at_least()
    {
        var fleet = new TestFleet();
        fleet.AddHost().WithNic(0x41, 2, node: 0).WithNic(0x42, 2, node: 1);
        var pool = fleet.AddPool();

        var placement = fleet.Snapshot.Place(TestFleet.Request(1, 20) with { Devices = TestFleet.Want(pool, 2), NumaPolicy = NumaPolicy.Preferred })!;

        Assert.Empty(placement.Cells);
        Assert.Single(placement.Devices.Select(d => d.NumaNode).Distinct());
    }

    [Fact]
    public void Equal_hosts_are_chosen_by_the_vm_alike_on_every_server_and_evenly_over_many_vms()
    {
        var fleet = new TestFleet();
        for (var h = 0; h < 4; h++)
            fleet.AddHost();
        var otherServer = new TestFleet();
        otherServer.Hosts.AddRange(fleet.Hosts.AsEnumerable().Reverse());
        const int vms = 400;

        var here = Enumerable.Range(1, vms).Select(vm => fleet.Snapshot.Place(TestFleet.Request(vm))!.Host).ToArray();
        var there = Enumerable.Range(1, vms).Select(vm => otherServer.Snapshot.Place(TestFleet.Request(vm))!.Host);

        Assert.Equal(here, there);
        // Each of four hosts is expected to get a quarter; half of that or less would be a herd elsewhere.
        Assert.All(here.CountBy(h => h), c => Assert.InRange(c.Value, vms / 8, vms / 2));
        Assert.Equal(4, here.Distinct().Count());
    }

    private static void AllChoose(TestFleet fleet, HostId expected, Func<int, PlacementRequest> request)
    {
        // Many VMs, so that no tie-break can give the right answer by luck.
        for (var vm = 1; vm <= 30; vm++)
            Assert.Equal(expected, fleet.Snapshot.Place(request(vm))?.Host);
    }
}

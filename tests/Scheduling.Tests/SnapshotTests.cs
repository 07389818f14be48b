using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Scheduling.Placements;
using ControlPlane.Scheduling.Tests.Fleets;

namespace ControlPlane.Scheduling.Tests;

/// <summary>How the snapshot stays true: events late, twice and out of order, reservations that fail, threads that race.</summary>
public sealed class SnapshotTests
{
    private static readonly PciAddress First = PciAddress.Parse("0000:41:10.0");
    private readonly TestFleet fleet = new();
    private readonly TestHost host;

    public SnapshotTests()
    {
        host = fleet.AddHost().WithNic(0x41, 1);
        fleet.AddPool();
    }

    [Fact]
    public void A_reservation_that_is_given_back_leaves_everything_as_it_was()
    {
        var request = WithOneFunction(1) with { Share = new HostShare(32, 65536), Group = "web", GroupPolicy = GroupPolicy.HardSpread };
        var first = fleet.Snapshot.Reserve(request).Value;
        Assert.Null(fleet.Snapshot.Place(request with { Vm = Ids.Vm(2) }));

        fleet.Snapshot.Release(first);

        var again = fleet.Snapshot.Reserve(request).Value;
        Assert.Equal(first.Host, again.Host);
        Assert.Equal(first.Claims, again.Claims);
    }

    [Fact]
    public void Giving_back_does_not_touch_a_device_that_has_meanwhile_become_anothers()
    {
        var lost = fleet.Snapshot.Reserve(WithOneFunction(1)).Value;
        fleet.Snapshot.SetOwnership(host.Id, First, new DeviceOwnership(DeviceState.Reserved, new DeviceOwner(Ids.Vm(2), "net0"), lost.Devices[0].Reserved));

        fleet.Snapshot.Release(lost);

        Assert.Null(fleet.Snapshot.Place(WithOneFunction(3)));
    }

    [Fact]
    public void An_event_that_is_older_than_the_reservation_does_not_undo_it()
    {
        var placement = fleet.Snapshot.Reserve(WithOneFunction(1)).Value;

        fleet.Snapshot.UpsertDevices(host.Id, host.Devices.Values);
        fleet.Snapshot.SetOwnership(host.Id, First, new DeviceOwnership(DeviceState.Free, null, placement.Devices[0].Expected));

        Assert.Null(fleet.Snapshot.Place(WithOneFunction(2)));
    }

    [Fact]
    public void A_device_that_has_been_proven_clean_is_available_at_its_new_generation()
    {
        var placement = fleet.Snapshot.Reserve(WithOneFunction(1)).Value;
        var reserved = placement.Devices[0].Reserved;

        fleet.Snapshot.SetOwnership(host.Id, First, new DeviceOwnership(DeviceState.Free, null, reserved));

        Assert.Equal(reserved, fleet.Snapshot.Place(WithOneFunction(2))?.Devices[0].Expected);
    }

    [Fact]
    public void The_event_that_confirms_a_reservation_counts_nothing_twice()
    {
        var placement = fleet.Snapshot.Reserve(TestFleet.Request(1, 16)).Value;

        fleet.Snapshot.UpsertAllocation(new VmAllocation(Ids.Vm(1), Ids.Project, host.Id, placement.Share));
        fleet.Snapshot.UpsertAllocation(new VmAllocation(Ids.Vm(1), Ids.Project, host.Id, placement.Share));

        Assert.NotNull(fleet.Snapshot.Place(TestFleet.Request(2, 16)));
        fleet.Snapshot.RemoveAllocation(Ids.Vm(1), host.Id);
        fleet.Snapshot.RemoveAllocation(Ids.Vm(1), host.Id);
        Assert.NotNull(fleet.Snapshot.Place(TestFleet.Request(2, 32)));
        Assert.Null(fleet.Snapshot.Place(TestFleet.Request(2, 33)));
    }

    [Fact]
    public void The_event_that_confirms_a_reservation_keeps_its_numa_cell()
    {
        var required = TestFleet.Request(1, 16) with { NumaPolicy = NumaPolicy.Required };
        var placement = fleet.Snapshot.Reserve(required).Value;

        fleet.Snapshot.UpsertAllocation(new VmAllocation(Ids.Vm(1), Ids.Project, host.Id, placement.Share));

        var next = fleet.Snapshot.Reserve(required with { Vm = Ids.Vm(2) }).Value;
        Assert.NotEqual(placement.Cells[0].Node, next.Cells[0].Node);
    }

    [Fact]
    public void An_allocation_may_come_before_its_host()
    {
        var late = new FleetSnapshot();
        late.UpsertAllocation(new VmAllocation(Ids.Vm(1), Ids.Project, host.Id, new HostShare(30, 1)));
        late.UpsertHost(host.Record);
        late.UpsertHost(host.Record);

        Assert.NotNull(late.Place(TestFleet.Request(2, 2)));
        Assert.Null(late.Place(TestFleet.Request(2, 3)));
    }

    [Fact]
    public void A_host_that_is_removed_and_one_that_takes_its_place_do_not_mix()
    {
        fleet.Snapshot.Reserve(WithOneFunction(1) with { Share = new HostShare(30, 512), Group = "web" });
        var next = new TestHost(7).WithNic(0x41, 1);

        fleet.Snapshot.RemoveHost(host.Id);
        Assert.Equal(["The fleet has no hosts."], fleet.Snapshot.Explain(WithOneFunction(2)).Problems);
        fleet.Snapshot.UpsertHost(next.Record);
        Assert.Null(fleet.Snapshot.Place(WithOneFunction(2)));
        fleet.Snapshot.UpsertDevices(next.Id, next.Devices.Values);

        var placement = fleet.Snapshot.Place(WithOneFunction(2) with { Share = new HostShare(32, 512), Group = "web", GroupPolicy = GroupPolicy.HardSpread });
        Assert.Equal(next.Id, placement?.Host);
    }

    [Fact]
    public void A_host_whose_capacity_changes_keeps_what_it_has_sold_and_its_devices()
    {
        fleet.Snapshot.Reserve(TestFleet.Request(1, 30));

        fleet.Snapshot.UpsertHost(host.Record with { CpuRatio = 2 });

        Assert.NotNull(fleet.Snapshot.Place(WithOneFunction(2) with { Share = new HostShare(34, 512) }));
        Assert.Null(fleet.Snapshot.Place(TestFleet.Request(2, 35)));
    }

    [Fact]
    public void Pools_that_change_are_heeded_at_once()
    {
        var request = WithOneFunction(1);
        Assert.NotNull(fleet.Snapshot.Place(request));

        fleet.Snapshot.SetPools([fleet.Pools[0] with { Match = [new PoolMatch(VendorId: 0x15b3)] }]);
        Assert.Null(fleet.Snapshot.Place(request));
        fleet.Snapshot.SetPools([]);
        Assert.Contains(fleet.Pools[0].Id.ToString(), Assert.Single(fleet.Snapshot.Explain(request).Problems));
        fleet.Snapshot.SetPools(fleet.Pools);
        Assert.NotNull(fleet.Snapshot.Place(request));
    }

    [Fact]
    public void Explaining_and_planning_change_nothing()
    {
        var request = WithOneFunction(1);
        var before = fleet.Snapshot.Place(request)!;

        fleet.Snapshot.Explain(request with { Share = new HostShare(99, 1), NumaPolicy = NumaPolicy.Required });
        fleet.Snapshot.PlanDrain(host.Id, [new Planning.PlanCandidate(Ids.Vm(1), "vm", request)], allowDeviceLoss: true);

        Assert.Equal(before.Claims, fleet.Snapshot.Place(request)!.Claims);
    }

    [Fact]
    public async Task Creates_that_race_never_get_the_same_device()
    {
        host.WithNic(0x42, 60, totalVfs: 64);
        const int racers = 8, each = 8;

        var results = await Task.WhenAll(Enumerable.Range(0, racers).Select(r => Task.Run(() =>
            Enumerable.Range(0, each).Select(i => fleet.Snapshot.Reserve(WithOneFunction((r * each) + i + 1) with { Share = HostShare.None })).ToArray())));

        var taken = results.SelectMany(r => r).Where(r => r.Succeeded).Select(r => r.Value.Devices[0].Address).ToArray();
        // 61 functions for 64 VMs: all are handed out, none twice, and three VMs are told why not.
        Assert.Equal(61, taken.Length);
        Assert.Equal(61, taken.Distinct().Count());
        Assert.Equal(3, results.SelectMany(r => r).Count(r => r.Fault?.Kind == FaultKind.NoPlacement));
    }

    private PlacementRequest WithOneFunction(int vm) => TestFleet.Request(vm) with { Devices = TestFleet.Want(fleet.Pools[0], 1) };
}

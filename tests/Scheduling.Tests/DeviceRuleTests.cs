using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Scheduling.Filters;
using ControlPlane.Scheduling.Placements;
using ControlPlane.Scheduling.Tests.Fleets;

namespace ControlPlane.Scheduling.Tests;

/// <summary>Whole groups, exclusion of physical and virtual functions, and sets that are safe to bond.</summary>
public sealed class DeviceRuleTests
{
    private const string Gpu = "0000:81:00.0";
    private const string Audio = "0000:81:00.1";
    private readonly TestFleet fleet = new();
    private readonly TestHost host;

    public DeviceRuleTests() => host = fleet.AddHost();

    [Fact]
    public void The_rest_of_a_group_is_held_for_the_vm_and_bridges_are_not()
    {
        var pool = GpuWithAudio(group: 50);
        host.WithBridge("0000:80:01.0", 50);

        var placement = fleet.Snapshot.Place(TestFleet.Request() with { Devices = TestFleet.Want(pool, 1) })!;

        Assert.Equal(PciAddress.Parse(Gpu), Assert.Single(placement.Devices).Address);
        var companion = Assert.Single(placement.Companions);
        Assert.Equal(PciAddress.Parse(Audio), companion.Address);
        Assert.Equal(new DeviceOwner(Ids.Vm(1), "dev", Companion: true), companion.Owner);
    }

    [Fact]
    public void A_function_alone_in_its_group_is_preferred_to_one_with_companions()
    {
        var pool = GpuWithAudio(group: 50);
        host.WithGpu("0000:91:00.0");

        Assert.Empty(fleet.Snapshot.Place(TestFleet.Request() with { Devices = TestFleet.Want(pool, 1) })!.Companions);
    }

    [Fact]
    public void A_group_of_which_another_vm_has_a_member_is_never_split()
    {
        var pool = GpuWithAudio(group: 50);
        host.Own(Audio, Ids.Vm(9));

        Refused(pool, "release 0000:81:00.1", "Of 1 that match, 1 in IOMMU group 50 of which another VM has a member.");
    }

    [Fact]
    public void A_host_critical_member_bars_the_group_for_good()
    {
        var pool = GpuWithAudio(group: 50);
        host.WithHostDevice("0000:82:00.0", 50, critical: true);

        Refused(pool, null, "Of 1 that match, 1 in IOMMU group 50 with a host-critical member.");
    }

    [Fact]
    public void A_member_that_the_host_drives_bars_the_group_until_it_is_given_up()
    {
        var pool = GpuWithAudio(group: 50);
        host.WithHostDevice("0000:82:00.0", 50, "xhci_hcd");

        Refused(pool, "set assignable on 0000:82:00.0", "Of 1 that match, 1 in IOMMU group 50 with a member that the host uses.");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("vfio-pci")]
    [InlineData("pci-stub")]
    public void A_member_that_the_host_holds_without_driving_it_stays_unused_and_unclaimed(string? driver)
    {
        var pool = GpuWithAudio(group: 50);
        host.WithHostDevice("0000:82:00.0", 50, driver);

        var placement = fleet.Snapshot.Place(TestFleet.Request() with { Devices = TestFleet.Want(pool, 1) })!;

        Assert.DoesNotContain(PciAddress.Parse("0000:82:00.0"), placement.Claims.Select(c => c.Address));
    }

    [Fact]
    public void A_quarantined_function_is_never_handed_out_and_neither_is_its_group()
    {
        var pool = GpuWithAudio(group: 50);
        host.Quarantine(Audio);

        Refused(pool, "release 0000:81:00.1 from quarantine", "Of 1 that match, 1 in IOMMU group 50 with a quarantined member.");
    }

    [Fact]
    public void Without_an_iommu_group_nothing_is_assignable()
    {
        var pool = GpuWithAudio(group: 50);
        host.Change(Gpu, d => d with { Facts = d.Facts with { IommuGroup = null } });

        Refused(pool, null, "Of 1 that match, 1 without an IOMMU group.");
    }

    [Fact]
    public void A_function_that_is_switched_off_is_not_there()
    {
        host.WithNic(0x41, 1, totalVfs: 1).Change("0000:41:10.0", d => d with { Present = false });
        var pool = fleet.AddPool();

        var failed = Assert.Single(fleet.Explain(TestFleet.Request() with { Devices = TestFleet.Want(pool, 1) }).Failed);

        Assert.Equal("All 1 functions of pool pool1 are switched off.", failed.Detail);
    }

    [Fact]
    public void A_physical_function_with_a_virtual_one_in_use_is_not_given_away_whole()
    {
        var whole = AssignableNic(0x41, virtualFunctions: 2);
        host.Own("0000:41:10.1", Ids.Vm(9));

        Refused(whole, "release 0000:41:10.1", "Of 1 that match, 1 with a virtual function in use.");
    }

    [Fact]
    public void Virtual_functions_of_a_physical_one_that_is_given_away_are_not_handed_out()
    {
        AssignableNic(0x41, virtualFunctions: 2);
        host.Own("0000:41:00.0", Ids.Vm(9));

        Refused(fleet.Pools[0], "release 0000:41:00.0", "Of 2 that match, 2 of a physical function that is assigned.");
    }

    [Fact]
    public void One_vm_does_not_get_a_physical_function_and_a_virtual_one_of_it()
    {
        var whole = AssignableNic(0x41, virtualFunctions: 2);
        var request = TestFleet.Request() with { Devices = [.. TestFleet.Want(whole, 1, "pf"), .. TestFleet.Want(fleet.Pools[0], 1, "vf")] };

        var failed = Assert.Single(fleet.Explain(request).Failed);
        host.WithNic(0x42, 1);
        var placement = fleet.Told().Place(request)!;

        Assert.Equal("1 of 2 together", failed.Available);
        Assert.Equal([PciAddress.Parse("0000:41:00.0"), PciAddress.Parse("0000:42:10.0")], placement.Devices.Select(d => d.Address));
    }

    [Fact]
    public void A_bond_safe_set_comes_from_different_functions_of_one_node()
    {
        host.WithNic(0x41, 4, node: 0).WithNic(0x42, 4, node: 1).WithNic(0x43, 4, node: 1);
        var request = TestFleet.Request() with { Devices = TestFleet.Want(fleet.AddPool(), 2), DeviceSpread = DeviceSpread.DistinctPhysicalFunctions };

        var placement = fleet.Snapshot.Place(request)!;

        Assert.Equal([PciAddress.Parse("0000:42:00.0"), PciAddress.Parse("0000:43:00.0")], placement.Devices.Select(d => d.PhysicalFunction!.Value).Order());
    }

    [Fact]
    public void A_bond_safe_set_stays_on_one_wire()
    {
        host.WithNic(0x41, 4).WithNic(0x42, 4).WithNic(0x43, 4);
        var all = fleet.AddPool();
        fleet.AddPool(wire: "red", match: new PoolMatch(PhysicalFunction: PciAddress.Parse("0000:41:00.0")));
        fleet.AddPool(wire: "blue", match: [new PoolMatch(PhysicalFunction: PciAddress.Parse("0000:42:00.0")), new PoolMatch(PhysicalFunction: PciAddress.Parse("0000:43:00.0"))]);
        var request = TestFleet.Request() with { Devices = TestFleet.Want(all, 2), DeviceSpread = DeviceSpread.DistinctPhysicalFunctions };

        Assert.DoesNotContain(PciAddress.Parse("0000:41:00.0"), fleet.Snapshot.Place(request)!.Devices.Select(d => d.PhysicalFunction!.Value));
        Assert.Null(fleet.Snapshot.Place(request with { Devices = TestFleet.Want(all, 3) }));
    }

    [Fact]
    public void When_no_bond_safe_set_is_left_the_explanation_says_what_would_be_without_it()
    {
        host.WithNic(0x41, 8);
        var request = TestFleet.Request() with { Devices = TestFleet.Want(fleet.AddPool(), 2), DeviceSpread = DeviceSpread.DistinctPhysicalFunctions };

        var explained = fleet.Explain(request);

        Assert.Equal("1 of 2", Assert.Single(explained.Failed).Available);
        Assert.Equal("relax deviceSpread from distinct-physical-functions to none", explained.SmallestChange?.Sentence);
    }

    [Fact]
    public void Functions_are_taken_from_the_physical_function_that_has_most_left()
    {
        host.WithNic(0x41, 2).WithNic(0x42, 6).WithNic(0x43, 4);
        var pool = fleet.AddPool();

        var placement = fleet.Snapshot.Place(TestFleet.Request() with { Devices = TestFleet.Want(pool, 6) })!;

        // Six taken of 2 + 6 + 4 so that what is left is as even as it can be: two each.
        var taken = placement.Devices.CountBy(d => d.PhysicalFunction!.Value.Bus).ToDictionary();
        Assert.Equal(4, taken[0x42]);
        Assert.Equal(2, taken[0x43]);
    }

    [Fact]
    public void A_function_that_few_pools_want_is_taken_before_one_that_many_want()
    {
        host.WithGpu("0000:81:00.0").WithGpu("0000:82:00.0");
        var any = fleet.AddPool(PoolKind.Function);
        fleet.AddPool(PoolKind.Function, null, "rare", new PoolMatch(Address: PciAddress.Parse("0000:81:00.0")));

        Assert.Equal(PciAddress.Parse("0000:82:00.0"), fleet.Snapshot.Place(TestFleet.Request() with { Devices = TestFleet.Want(any, 1) })!.Devices[0].Address);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(64)]
    public void As_many_requests_as_there_are_like_functions_take_each_once(int functions)
    {
        host.WithNic(0x41, functions, totalVfs: functions);
        var request = TestFleet.Request() with { Devices = TestFleet.Want(fleet.AddPool(), functions) };

        var placement = fleet.Snapshot.Place(request)!;

        Assert.Equal(functions, placement.Devices.Select(d => d.Address).Distinct().Count());
        Assert.Empty(Rules.Broken(fleet, request, placement));
    }

    private DevicePool GpuWithAudio(int group)
    {
        host.WithGpu(Gpu, 0, group).WithGpu(Audio, 0, group, deviceId: 0x1aef);
        return fleet.AddPool(PoolKind.Function, null, "gpus", new PoolMatch(0x10de, TestHost.GpuId));
    }

    private DevicePool AssignableNic(int bus, int virtualFunctions)
    {
        host.WithNic(bus, virtualFunctions, totalVfs: virtualFunctions);
        host.Change(new PciAddress(0, bus, 0, 0), d => d with { Assignable = true, Ownership = DeviceOwnership.Unowned });
        fleet.AddPool();
        return fleet.AddPool(PoolKind.Function, null, "whole", new PoolMatch(ClassCode: "02"));
    }

    private void Refused(DevicePool pool, string? smallestChange, string detail)
    {
        var request = TestFleet.Request() with { Devices = TestFleet.Want(pool, 1) };
        Assert.Null(fleet.Snapshot.Place(request));
        var explained = fleet.Explain(request);
        var failed = Assert.Single(explained.Failed);
        Assert.Equal((DeviceFilter.FilterName, "0", detail), (failed.Filter, failed.Available, failed.Detail));
        Assert.Equal(smallestChange, explained.SmallestChange?.Sentence);
    }
}

using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Scheduling.Placements;
using ControlPlane.Scheduling.Planning;
using ControlPlane.Scheduling.Tests.Fleets;

namespace ControlPlane.Scheduling.Tests;

/// <summary>What-if questions, and the requests of VMs that exist already.</summary>
public sealed class PlanningTests
{
    private readonly TestFleet fleet = new();
    private readonly TestHost source;
    private readonly TestHost target;
    private readonly DevicePool pool;

    public PlanningTests()
    {
        source = fleet.AddHost().WithNic(0x41, 4);
        target = fleet.AddHost().WithNic(0x41, 2);
        pool = fleet.AddPool();
    }

    [Fact]
    public void A_drain_never_promises_one_device_to_two_vms()
    {
        var plan = fleet.Snapshot.PlanDrain(source.Id, [Vm(1), Vm(2)], allowDeviceLoss: false);

        Assert.True(plan.IsComplete);
        Assert.Equal(2, plan.Moves.Select(m => m.Target.Devices[0].Address).Distinct().Count());
        Assert.All(plan.Moves, m => Assert.Equal(target.Id, m.Target.Host));
    }

    [Fact]
    public void What_finds_no_equivalent_device_is_unplaceable_with_the_reason_and_what_would_help()
    {
        var plan = fleet.Snapshot.PlanDrain(source.Id, [Vm(1), Vm(2), Vm(3)], allowDeviceLoss: false);

        var left = Assert.Single(plan.Unplaceable);
        Assert.Equal(2, plan.Moves.Count);
        Assert.Equal("0 of 2 hosts fit.", left.Reason);
        Assert.Equal("release 0000:41:10.0", left.Explanation!.Hosts.Single(h => h.Host == target.Id).SmallestChange?.Sentence);
    }

    [Fact]
    public void With_device_loss_allowed_a_standby_interface_goes_without_its_function()
    {
        var plan = fleet.Snapshot.PlanDrain(source.Id, [Vm(1), Vm(2), Vm(3) with { Standby = ["dev"] }], allowDeviceLoss: true);

        var lossy = Assert.Single(plan.Moves, m => m.LostDevices.Count > 0);
        Assert.Equal((Ids.Vm(3), "dev"), (lossy.Vm, lossy.LostDevices[0]));
        Assert.Empty(lossy.Target.Devices);
    }

    [Fact]
    public void A_vm_that_cannot_move_while_it_runs_is_a_stop_with_its_reason_and_where_it_could_start()
    {
        var stop = Assert.Single(fleet.Snapshot.PlanDrain(source.Id, [Vm(1) with { MustStop = "acc0 cannot travel" }], allowDeviceLoss: false).Stops);

        Assert.Equal("acc0 cannot travel", stop.Reason);
        Assert.Equal(target.Id, stop.RestartOn?.Host);
    }

    [Fact]
    public void A_running_guest_whose_cpu_features_are_nowhere_else_would_have_to_stop()
    {
        var vm = Vm(1);
        vm = vm with { Request = vm.Request with { SourceCpu = new CpuModel("GenuineIntel", "Newer", ["amx"]) } };

        var stop = Assert.Single(fleet.Snapshot.PlanDrain(source.Id, [vm], allowDeviceLoss: false).Stops);

        Assert.Equal(target.Id, stop.RestartOn?.Host);
    }

    [Fact]
    public void After_a_host_loss_vms_start_again_with_any_device_of_their_pools()
    {
        target.Change("0000:41:10.0", d => d with { Facts = d.Facts with { DeviceId = 0x1520 } });
        target.Change("0000:41:10.1", d => d with { Facts = d.Facts with { DeviceId = 0x1520 } });

        Assert.Empty(fleet.Snapshot.PlanDrain(source.Id, [Vm(1)], allowDeviceLoss: false).Moves);
        Assert.Single(fleet.Snapshot.PlanHostLoss(source.Id, [Vm(1)]).Moves);
    }

    [Fact]
    public void Fewer_virtual_functions_move_only_those_vms_whose_functions_vanish()
    {
        source.Own("0000:41:10.1", Ids.Vm(1)).Own("0000:41:10.3", Ids.Vm(2));

        var plan = fleet.Snapshot.PlanVirtualFunctionCount(source.Id, PciAddress.Parse("0000:41:00.0"), 2, [Vm(1), Vm(2)]);

        Assert.Equal(Ids.Vm(2), Assert.Single(plan.Moves).Vm);
    }

    [Fact]
    public void Moves_respect_hard_spread_among_themselves()
    {
        PlanCandidate Spread(int vm) => new(Ids.Vm(vm), $"vm{vm}", Vm(vm).Request with { Devices = [], Group = "web", GroupPolicy = GroupPolicy.HardSpread });

        var plan = fleet.Snapshot.PlanDrain(source.Id, [Spread(1), Spread(2)], allowDeviceLoss: false);

        Assert.Single(plan.Moves);
        Assert.Single(plan.Unplaceable);
    }

    [Fact]
    public void A_plan_can_be_taken_as_it_is()
    {
        var move = Assert.Single(fleet.Snapshot.PlanDrain(source.Id, [Vm(1)], allowDeviceLoss: false).Moves);

        fleet.Snapshot.Apply(move.Target);

        Assert.DoesNotContain(
            move.Target.Devices[0].Address,
            fleet.Snapshot.Place(Vm(2).Request with { ExcludeHosts = [source.Id] })!.Devices.Select(d => d.Address));
    }

    [Fact]
    public void A_migration_asks_for_the_model_of_the_source_device_and_not_for_the_source()
    {
        var spec = new VmSpec(
            2, 2048, HugepageSize.Size2MiB, "tiny", [], [new InterfaceSpec("net0", Ids.Network(1), AttachKind.Failover)],
            [new DeviceRequestSpec("acc0", pool.Id, 2)], NumaPolicy.None, DeviceSpread.None, PlacementSpec.Anywhere with { Host = source.Id },
            new Dictionary<string, string>());
        var vm = new VirtualMachine(
            Ids.Vm(1), "web-1", Ids.Project, spec, VmState.Running, source.Id, [], [], [], null, Generation.None, default, default);
        var networks = new Dictionary<NetworkId, Domain.Networks.Network>
        {
            [Ids.Network(1)] = new(Ids.Network(1), "prod", "red", null, null, Generation.None, default, default),
        };
        var facts = source["0000:41:10.0"].Facts;

        var request = PlacementRequest.ForMigration(
            vm, networks, new Dictionary<string, PciFunction> { ["net0"] = facts, ["acc0-1"] = facts }, source.Record.Cpu, null).Value;

        var alike = new AlikeDevice(TestHost.Intel, TestHost.VfId);
        Assert.Equal(
            [new DeviceDemand("net0", null, "red", alike), new DeviceDemand("acc0", pool.Id), new DeviceDemand("acc0-1", pool.Id, null, alike)],
            request.Devices);
        Assert.Equal([source.Id], request.ExcludeHosts);
        Assert.Null(request.OnlyHosts);
        Assert.Equal(new HostShare(2, 0, 1024), request.Share);
        Assert.Equal("network-not-found", PlacementRequest.ForCreate(vm.Id, vm.Project, spec, new Dictionary<NetworkId, Domain.Networks.Network>()).Fault?.Code);
    }

    [Fact]
    public void A_hot_plug_asks_nothing_but_devices_of_a_host_that_is_being_drained_and_full()
    {
        source.With(h => h with { State = HostState.Draining });
        fleet.Allocate(new VmAllocation(Ids.Vm(1), Ids.Project, source.Id, new HostShare(32, 65536), []));
        var spec = PlacementRequest.ForHotPlug(Ids.Vm(1), Ids.Project, source.Id, Plain, TestFleet.Want(pool, 1));

        var placement = fleet.Snapshot.Reserve(spec).Value;
        fleet.Snapshot.Release(placement);

        Assert.Equal(source.Id, placement.Host);
        // Giving the device back does not give the VM's own share of the host back.
        Assert.Null(fleet.Snapshot.Place(TestFleet.Request(2) with { OnlyHosts = [source.Id] }));
    }

    [Theory]
    [InlineData(0x42, true)]
    [InlineData(0x43, false)] // On the other NUMA node.
    [InlineData(0x41, false)] // The physical function that the VM's own comes from.
    public void A_hot_plugged_function_is_safe_to_bond_with_those_that_the_vm_has(int onlyFreeBus, bool fits)
    {
        source.WithNic(0x42, 1).WithNic(0x43, 1, node: 1).Own("0000:41:10.0", Ids.Vm(1));
        foreach (var address in source.Devices.Keys.Where(a => a.Device == 0x10 && a.Bus != onlyFreeBus && a != PciAddress.Parse("0000:41:10.0")).ToArray())
            source.Own(address.ToString(), Ids.Vm(9));
        var bonded = Plain with { DeviceSpread = DeviceSpread.DistinctPhysicalFunctions };

        Assert.Equal(fits, fleet.Snapshot.Place(PlacementRequest.ForHotPlug(Ids.Vm(1), Ids.Project, source.Id, bonded, TestFleet.Want(pool, 1))) is not null);
        Assert.NotNull(fleet.Snapshot.Place(PlacementRequest.ForHotPlug(Ids.Vm(2), Ids.Project, source.Id, bonded, TestFleet.Want(pool, 1))));
    }

    [Fact]
    public void A_hot_plug_may_take_another_member_of_a_group_that_the_vm_has_and_nobody_else_may()
    {
        source.WithGpu("0000:81:00.0", 0, 60).WithGpu("0000:81:00.1", 0, 60).Own("0000:81:00.0", Ids.Vm(1));
        var gpus = fleet.AddPool(PoolKind.Function, null, "gpus", new PoolMatch(0x10de));

        Assert.NotNull(fleet.Snapshot.Place(PlacementRequest.ForHotPlug(Ids.Vm(1), Ids.Project, source.Id, Plain, TestFleet.Want(gpus, 1))));
        Assert.Null(fleet.Snapshot.Place(PlacementRequest.ForHotPlug(Ids.Vm(2), Ids.Project, source.Id, Plain, TestFleet.Want(gpus, 1))));
    }

    private static readonly VmSpec Plain = new(
        1, 512, HugepageSize.None, "tiny", [], [], [], NumaPolicy.None, DeviceSpread.None, PlacementSpec.Anywhere, new Dictionary<string, string>());

    /// <summary>A running VM with one virtual function of the model that both hosts have.</summary>
    private PlanCandidate Vm(int vm) => new(Ids.Vm(vm), $"vm{vm}", TestFleet.Request(vm) with
    {
        Purpose = PlacementPurpose.Migrate,
        Devices = [new DeviceDemand("dev", pool.Id, null, new AlikeDevice(TestHost.Intel, TestHost.VfId))],
    });
}

using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Scheduling.Explanation;
using ControlPlane.Scheduling.Filters;
using ControlPlane.Scheduling.Placements;
using ControlPlane.Scheduling.Tests.Fleets;

namespace ControlPlane.Scheduling.Tests;

public sealed class FilterTests
{
    private readonly TestFleet fleet = new();
    private readonly TestHost host;

    public FilterTests() => host = fleet.AddHost();

    [Theory]
    [InlineData(HostState.Connecting)]
    [InlineData(HostState.Draining)]
    [InlineData(HostState.Maintenance)]
    [InlineData(HostState.Down)]
    public void A_host_that_is_not_up_takes_no_vm(HostState state)
    {
        host.With(h => h with { State = state, StateReason = "because" });

        var failed = OnlyFailure(TestFleet.Request(), HostStateFilter.FilterName);

        Assert.Equal(state.ToString().ToLowerInvariant(), failed.Available);
        Assert.Contains("because", failed.Detail);
    }

    [Fact]
    public void A_cordoned_host_takes_no_vm_and_is_to_be_uncordoned()
    {
        host.With(h => h with { Cordoned = true });

        OnlyFailure(TestFleet.Request(), HostStateFilter.FilterName);

        Assert.Equal("uncordon the host", fleet.Explain(TestFleet.Request()).SmallestChange?.Sentence);
    }

    [Fact]
    public void A_named_host_is_the_only_one_considered()
    {
        var other = fleet.AddHost();

        Assert.Equal(other.Id, fleet.Snapshot.Place(TestFleet.Request() with { OnlyHosts = [other.Id] })?.Host);
        Assert.Contains(
            fleet.Snapshot.Explain(TestFleet.Request() with { OnlyHosts = [other.Id] }).Hosts.Single(h => h.Host == host.Id).Failed,
            f => f.Filter == NamedHostFilter.FilterName && f.Needed == "host hv2");
    }

    [Fact]
    public void A_named_host_that_does_not_exist_is_said_to_be_missing()
    {
        var explanation = fleet.Snapshot.Explain(TestFleet.Request() with { OnlyHosts = [Ids.Host(77)] });

        Assert.Equal(["The host that the request names does not exist."], explanation.Problems);
        Assert.Null(explanation.Chosen);
    }

    [Fact]
    public void An_excluded_host_is_never_chosen_and_nothing_is_suggested_for_it()
    {
        var request = TestFleet.Request() with { ExcludeHosts = [host.Id] };

        OnlyFailure(request, NamedHostFilter.FilterName);

        Assert.Null(fleet.Explain(request).SmallestChange);
    }

    [Fact]
    public void Every_label_of_the_selector_has_to_be_there_with_its_value()
    {
        host.With(h => h with { Labels = new Dictionary<string, string> { ["zone"] = "a", ["tier"] = "gold" } });
        var selector = new Dictionary<string, string> { ["zone"] = "b", ["tier"] = "gold", ["rack"] = "7" };

        var failed = OnlyFailure(TestFleet.Request() with { HostSelector = selector }, HostSelectorFilter.FilterName);

        Assert.Equal("rack=7, zone=b", failed.Needed);
        Assert.Equal("no label rack, zone=a", failed.Available);
        Assert.NotNull(fleet.Snapshot.Place(TestFleet.Request() with { HostSelector = host.Record.Labels }));
    }

    [Theory]
    [InlineData(33, 1024, "33 vCPUs", "32 vCPUs")]
    [InlineData(1, 65537, "65537 MiB of memory", "65536 MiB of memory")]
    [InlineData(33, 65537, "33 vCPUs, 65537 MiB of memory", "32 vCPUs, 65536 MiB of memory")]
    public void What_exceeds_the_host_is_named_with_what_it_has(int vcpus, long memoryMiB, string needed, string available)
    {
        var failed = OnlyFailure(TestFleet.Request(1, vcpus, memoryMiB), CapacityFilter.FilterName);

        Assert.Equal((needed, available), (failed.Needed, failed.Available));
    }

    [Fact]
    public void The_cpu_ratio_sells_more_vcpus_and_is_rounded_down()
    {
        host.With(h => h with { CpuRatio = 1.05 });

        Assert.NotNull(fleet.Snapshot.Place(TestFleet.Request(1, 33)));
        Assert.Null(fleet.Snapshot.Place(TestFleet.Request(1, 34)));
    }

    [Fact]
    public void Huge_pages_are_counted_in_pages_and_never_sold_twice()
    {
        host.With(h => h with { MemoryRatio = 4, Capacity = new HostCapacity(8, 8192, 1024, 2, []) });
        var pages = TestFleet.Request() with { Share = new HostShare(1, 0, 1024, 2) };

        Assert.True(fleet.Snapshot.Reserve(pages).Succeeded);
        var failed = OnlyFailure(TestFleet.Request(2) with { Share = new HostShare(1, 0, 1, 1) }, CapacityFilter.FilterName);

        Assert.Equal("0 huge pages of 2 MiB, 0 huge pages of 1 GiB", failed.Available);
    }

    [Fact]
    public void Memory_on_huge_pages_is_no_ordinary_memory()
    {
        host.With(h => h with { Capacity = new HostCapacity(8, 8192, 1024, 2, []) });

        Assert.NotNull(fleet.Snapshot.Place(TestFleet.Request(1, 1, 8192 - 2048 - 2048)));
        Assert.Null(fleet.Snapshot.Place(TestFleet.Request(1, 1, 8192 - 2048 - 2048 + 1)));
    }

    [Fact]
    public void A_required_numa_node_carries_the_whole_vm_or_the_host_is_refused()
    {
        var required = TestFleet.Request(1, 17) with { NumaPolicy = NumaPolicy.Required };

        var failed = OnlyFailure(required, NumaFilter.FilterName);

        Assert.StartsWith("17 vCPUs", failed.Needed);
        Assert.Equal("relax numaPolicy from required to preferred", fleet.Explain(required).SmallestChange?.Sentence);
        var cell = Assert.Single(fleet.Snapshot.Place(TestFleet.Request(1, 16) with { NumaPolicy = NumaPolicy.Required })!.Cells);
        Assert.Equal(16, cell.Share.Vcpus);
    }

    [Fact]
    public void What_floats_over_the_nodes_leaves_them_less_in_all()
    {
        fleet.Allocate(new VmAllocation(Ids.Vm(9), Ids.Project, host.Id, new HostShare(20, 1024), []));

        Assert.Null(fleet.Snapshot.Place(TestFleet.Request(1, 13) with { NumaPolicy = NumaPolicy.Required }));
        Assert.NotNull(fleet.Snapshot.Place(TestFleet.Request(1, 12) with { NumaPolicy = NumaPolicy.Required }));
    }

    [Fact]
    public void A_migration_target_needs_every_feature_and_the_vendor_of_the_source()
    {
        var migration = TestFleet.Request() with { Purpose = PlacementPurpose.Migrate };

        Assert.NotNull(fleet.Snapshot.Place(migration with { SourceCpu = new CpuModel("GenuineIntel", "Older", ["sse4"]) }));
        var failed = OnlyFailure(migration with { SourceCpu = new CpuModel("GenuineIntel", "Newer", ["sse4", "amx", "avx512"]) }, CpuModelFilter.FilterName);
        Assert.EndsWith("amx, avx512.", failed.Detail);
        OnlyFailure(migration with { SourceCpu = new CpuModel("AuthenticAMD", "Milan", ["sse4"]) }, CpuModelFilter.FilterName);
    }

    [Fact]
    public void Hard_spread_refuses_a_host_with_a_member_of_the_same_project_only()
    {
        fleet.Allocate(new VmAllocation(Ids.Vm(9), Ids.Project, host.Id, new HostShare(1, 1), null, "web"));
        var request = TestFleet.Request() with { Group = "web", GroupPolicy = GroupPolicy.HardSpread };

        OnlyFailure(request, AffinityFilter.FilterName);

        Assert.NotNull(fleet.Snapshot.Place(request with { Project = new Domain.ProjectId(Ids.Vm(5).Value) }));
        Assert.NotNull(fleet.Snapshot.Place(request with { Group = "db" }));
    }

    [Fact]
    public void A_host_whose_wires_are_known_and_do_not_reach_is_refused()
    {
        host.WithNic(0x41, 1);
        var silent = fleet.AddHost();
        fleet.AddPool(wire: "red", match: new PoolMatch(Host: host.Id));
        fleet.AddPool(wire: "blue", match: new PoolMatch(Host: Ids.Host(9)));
        var request = TestFleet.Request() with { Networks = [new NetworkDemand("net0", "blue")] };

        var explanation = fleet.Snapshot.Explain(request);

        Assert.Equal(silent.Id, explanation.Chosen?.Host);
        var failed = Assert.Single(explanation.Hosts.Single(h => h.Host == host.Id).Failed);
        Assert.Equal((NetworkReachFilter.FilterName, "physical network blue", "red"), (failed.Filter, failed.Needed, failed.Available));
    }

    [Fact]
    public void An_interface_takes_a_function_only_from_a_pool_on_its_wire()
    {
        host.WithNic(0x41, 2).WithNic(0x42, 2);
        fleet.AddPool(wire: "red", match: new PoolMatch(PhysicalFunction: PciAddress.Parse("0000:41:00.0")));
        fleet.AddPool(wire: "blue", match: new PoolMatch(PhysicalFunction: PciAddress.Parse("0000:42:00.0")));

        var placement = fleet.Snapshot.Place(TestFleet.Request() with { Devices = [new DeviceDemand("net0", null, "blue")] });

        Assert.Equal(PciAddress.Parse("0000:42:00.0"), Assert.Single(placement!.Devices).PhysicalFunction);
    }

    [Fact]
    public void A_wire_that_no_pool_is_on_is_named_as_the_problem()
    {
        host.WithNic(0x41, 2);
        fleet.AddPool();

        var explanation = fleet.Snapshot.Explain(TestFleet.Request() with { Devices = [new DeviceDemand("net0", null, "green")] });

        Assert.Contains("physical network 'green'", Assert.Single(explanation.Problems));
        Assert.Null(Assert.Single(explanation.Hosts).SmallestChange);
    }

    [Fact]
    public void An_interface_is_never_served_by_what_is_no_network_controller()
    {
        host.WithNic(0x41, 1).Change("0000:41:10.0", d => d with { Facts = d.Facts with { ClassCode = 0x0b4000 } });
        var pool = fleet.AddPool();

        Assert.Null(fleet.Snapshot.Place(TestFleet.Request() with { Devices = [new DeviceDemand("net0", null)] }));
        Assert.NotNull(fleet.Snapshot.Place(TestFleet.Request() with { Devices = TestFleet.Want(pool, 1) }));
    }

    private FailedConstraint OnlyFailure(PlacementRequest request, string filter)
    {
        Assert.Null(fleet.Snapshot.Place(request));
        var failed = Assert.Single(fleet.Explain(request).Failed);
        Assert.Equal(filter, failed.Filter);
        return failed;
    }
}

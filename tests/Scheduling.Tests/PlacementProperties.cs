using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Scheduling.Placements;
using ControlPlane.Scheduling.Tests.Fleets;

namespace ControlPlane.Scheduling.Tests;

/// <summary>Over thousands of small fleets full of trouble: no answer breaks a rule, and none is missed.</summary>
public sealed class PlacementProperties
{
    [Fact]
    public void No_placement_breaks_a_rule() => ForAllFleets(drawn =>
    {
        var placement = drawn.Fleet.Snapshot.Place(drawn.Request);
        return placement is null ? "" : string.Join("; ", Rules.Broken(drawn.Fleet, drawn.Request, placement));
    });

    [Fact]
    public void A_placement_is_found_exactly_when_trying_everything_finds_one() => ForAllFleets(drawn =>
    {
        var found = drawn.Fleet.Snapshot.Place(drawn.Request) is not null;
        var exists = Rules.Exists(drawn.Fleet, drawn.Request);
        return found == exists ? "" : $"found: {found}, exists: {exists}";
    });

    [Fact]
    public void Requests_from_overlapping_pools_find_a_matching_whenever_there_is_one() => Seeds.ForAll(seed =>
    {
        var (fleet, request) = OverlappingPools(seed);
        var placement = fleet.Snapshot.Place(request);
        return (placement is not null) != Rules.Exists(fleet, request) ? $"found: {placement is not null}"
            : placement is null ? "" : string.Join("; ", Rules.Broken(fleet, request, placement));
    });

    [Fact]
    public void Physical_functions_and_their_virtual_ones_are_divided_between_requests_whenever_that_is_possible() => Seeds.ForAll(seed =>
    {
        var (fleet, request) = WholeAndSplitNics(seed);
        var placement = fleet.Snapshot.Place(request);
        return (placement is not null) != Rules.Exists(fleet, request) ? $"found: {placement is not null}"
            : placement is null ? "" : string.Join("; ", Rules.Broken(fleet, request, placement));
    });

    [Fact]
    public void The_fleets_drawn_are_both_placeable_and_not()
    {
        var placed = Enumerable.Range(1, 1000).Count(seed => new RandomFleet(seed) is var drawn && drawn.Fleet.Snapshot.Place(drawn.Request) is not null);

        Assert.InRange(placed, 200, 800);
    }

    [Fact]
    public void A_host_is_explained_as_fitting_exactly_when_a_placement_exists_on_it() => ForAllFleets(drawn =>
    {
        var explanation = drawn.Fleet.Snapshot.Explain(drawn.Request);
        var wrong = explanation.Hosts.Where(h => h.Fits != Rules.ExistsOn(drawn.Fleet, drawn.Fleet.Hosts.Single(t => t.Id == h.Host), drawn.Request));
        return explanation.Hosts.Count != drawn.Fleet.Hosts.Count ? "hosts are missing" : string.Join("; ", wrong.Select(h => $"{h.HostName} fits: {h.Fits}"));
    });

    /// <summary>Six single devices, five pools with any of them, one request of each: greedy choices run into dead ends here.</summary>
    private static (TestFleet Fleet, PlacementRequest Request) OverlappingPools(int seed)
    {
        var random = new Random(seed);
        var fleet = new TestFleet();
        var host = fleet.AddHost();
        for (var g = 0; g < 6; g++)
            host.WithGpu($"0000:8{g}:00.0", random.Next(2));
        for (var p = 0; p < 5; p++)
        {
            var members = host.Devices.Keys.Where(_ => random.Next(3) == 0).Select(a => new PoolMatch(Address: a)).ToArray();
            fleet.AddPool(PoolKind.Function, null, null, members.Length == 0 ? [new PoolMatch(VendorId: 1)] : members);
        }
        var request = TestFleet.Request() with { Devices = [.. fleet.Pools.SelectMany(p => TestFleet.Want(p, random.Next(4) == 0 ? 2 : 1, p.Name))] };
        return (fleet, request);
    }

    /// <summary>Three NICs that may be given away whole or by virtual function, and requests for both.</summary>
    private static (TestFleet Fleet, PlacementRequest Request) WholeAndSplitNics(int seed)
    {
        var random = new Random(seed);
        var fleet = new TestFleet();
        var host = fleet.AddHost();
        for (var n = 0; n < 3; n++)
        {
            host.WithNic(0x40 + n, random.Next(3), random.Next(2));
            host.Change(new PciAddress(0, 0x40 + n, 0, 0), d => d with
            {
                Assignable = true, Ownership = DeviceOwnership.Unowned,
                Facts = d.Facts with { Driver = null, IommuGroup = random.Next(4) == 0 ? 99 : d.Facts.IommuGroup },
            });
        }
        var any = fleet.AddPool(PoolKind.VirtualFunction);
        var first = fleet.AddPool(PoolKind.VirtualFunction, null, null, new PoolMatch(PhysicalFunction: new PciAddress(0, 0x40 + random.Next(3), 0, 0)));
        var whole = fleet.AddPool(PoolKind.Function, null, null, new PoolMatch(ClassCode: "02"));
        var devices = new[] { (any, random.Next(3)), (first, random.Next(2)), (whole, 1 + random.Next(2)) }.SelectMany(w => TestFleet.Want(w.Item1, w.Item2, w.Item1.Name));
        return (fleet, TestFleet.Request() with { Devices = [.. devices], NumaPolicy = random.Next(3) == 0 ? NumaPolicy.Required : NumaPolicy.None });
    }

    private static void ForAllFleets(Func<RandomFleet, string> broken) => Seeds.ForAll(seed => broken(new RandomFleet(seed)));
}

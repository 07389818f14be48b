using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Scheduling.Explanation;
using ControlPlane.Scheduling.Placements;
using ControlPlane.Scheduling.Tests.Fleets;

namespace ControlPlane.Scheduling.Tests;

/// <summary>A snapshot that has followed events knows what one knows that is told everything now.</summary>
public sealed class SnapshotProperties
{
    [Fact]
    public void Following_events_one_by_one_gives_what_telling_everything_at_once_gives() => Seeds.ForAll(seed =>
    {
        var drawn = new RandomFleet(seed);
        var random = new Random(seed);
        var followed = drawn.Fleet.Told();
        for (var i = 0; i < 25; i++)
            Happen(drawn, followed, random);
        var told = drawn.Fleet.Told();
        return Enumerable.Range(0, 4).Select(i => drawn.Request with { Vm = Ids.Vm(1 + i) })
            .Select(request => Difference(followed, told, request)).FirstOrDefault(d => d.Length > 0) ?? "";
    });

    [Fact]
    public void A_reservation_given_back_is_as_if_it_had_never_been() => Seeds.ForAll(seed =>
    {
        var drawn = new RandomFleet(seed);
        if (drawn.Fleet.Snapshot.Reserve(drawn.Request) is not { Succeeded: true, Value: var placement })
            return "";
        drawn.Fleet.Snapshot.Release(placement);
        return Difference(drawn.Fleet.Snapshot, drawn.Fleet.Told(), drawn.Request);
    });

    private static string Difference(FleetSnapshot followed, FleetSnapshot told, PlacementRequest request)
    {
        var (here, there) = (followed.Explain(request), told.Explain(request));
        return Text(here) == Text(there) ? "" : $"followed: {Text(here)}; told: {Text(there)}";
    }

    private static string Text(PlacementExplanation e) => string.Join('\n',
    [
        e.Summary, $"{e.Chosen?.Host} {string.Join(' ', e.Chosen?.Cells ?? [])} {string.Join(' ', e.Chosen?.Claims ?? [])}",
        .. e.Hosts.Select(h => $"{h.HostName}: {string.Join(' ', h.Failed)} -> {h.SmallestChange?.Sentence}"),
    ]);

    private static void Happen(RandomFleet drawn, FleetSnapshot snapshot, Random random)
    {
        var fleet = drawn.Fleet;
        var host = fleet.Hosts[random.Next(fleet.Hosts.Count)];
        switch (random.Next(6))
        {
            case 0 when host.Devices.Count > 0:
                var address = host.Devices.Keys.ElementAt(random.Next(host.Devices.Count));
                host.Change(address, d => d with { Ownership = NextOwnership(d.Ownership, random) });
                snapshot.SetOwnership(host.Id, address, host.Devices[address].Ownership);
                break;
            case 1 when host.Devices.Count > 0:
                var changed = host.Devices.Keys.ElementAt(random.Next(host.Devices.Count));
                host.Change(changed, d => d with
                {
                    Present = random.Next(3) > 0, Assignable = random.Next(3) > 0,
                    Facts = d.Facts with { IommuGroup = random.Next(1, 5), NumaNode = random.Next(2) },
                });
                snapshot.UpsertDevices(host.Id, [host.Devices[changed]]);
                break;
            case 2:
                host.With(h => h with
                {
                    CpuRatio = 1 + random.Next(2), State = random.Next(6) == 0 ? HostState.Draining : HostState.Up,
                    Capacity = random.Next(2) == 0 ? new HostCapacity(8, 8192, 0, 0, []) : new TestHost(1).Record.Capacity,
                });
                snapshot.UpsertHost(host.Record);
                break;
            case 3:
                var allocation = new VmAllocation(Ids.Vm(500 + random.Next(4)), Ids.Project, host.Id, new HostShare(random.Next(3), 64), [], "web");
                fleet.Allocate(allocation);
                snapshot.UpsertAllocation(allocation);
                break;
            case 4 when fleet.Allocations.Count > 0:
                var ended = fleet.Allocations[random.Next(fleet.Allocations.Count)];
                fleet.Deallocate(ended.Vm, ended.Host);
                snapshot.RemoveAllocation(ended.Vm, ended.Host);
                break;
            default:
                fleet.Pools[0] = fleet.Pools[0] with { PhysicalNetwork = random.Next(2) == 0 ? "red" : null };
                snapshot.SetPools(fleet.Pools);
                break;
        }
    }

    private static DeviceOwnership NextOwnership(DeviceOwnership from, Random random) => random.Next(3) switch
    {
        0 => new DeviceOwnership(DeviceState.Attached, new DeviceOwner(Ids.Vm(700), "dev"), from.Generation.Next()),
        1 => new DeviceOwnership(DeviceState.Quarantined, null, from.Generation.Next(), "reset failed"),
        _ => new DeviceOwnership(DeviceState.Free, null, from.Generation.Next()),
    };
}

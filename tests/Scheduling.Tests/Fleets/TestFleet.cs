using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Scheduling.Explanation;
using ControlPlane.Scheduling.Placements;

namespace ControlPlane.Scheduling.Tests.Fleets;

/// <summary>A fleet as the database would hold it, beside the snapshot that is told of it: checkers look here, not there.</summary>
internal sealed class TestFleet
{
    private readonly SchedulingOptions? options;
    private readonly List<VmAllocation> allocations = [];
    private FleetSnapshot? snapshot;

    public TestFleet(SchedulingOptions? options = null) => this.options = options;

    public List<TestHost> Hosts { get; } = [];

    public List<DevicePool> Pools { get; } = [];

    public IReadOnlyList<VmAllocation> Allocations => allocations;

    public FleetSnapshot Snapshot => snapshot ??= Told();

    public TestHost AddHost()
    {
        Hosts.Add(new TestHost(Hosts.Count + 1));
        return Hosts[^1];
    }

    public DevicePool AddPool(
        PoolKind kind = PoolKind.VirtualFunction, string? wire = null, string? name = null, params PoolMatch[] match)
    {
        var number = Pools.Count + 1;
        var pool = new DevicePool(
            Ids.Pool(number), name ?? $"pool{number}", kind, match.Length == 0 ? [new PoolMatch()] : match, wire, Generation.None, default, default);
        Pools.Add(pool);
        return pool;
    }

    public TestFleet Allocate(VmAllocation allocation)
    {
        Deallocate(allocation.Vm, allocation.Host);
        allocations.Add(allocation);
        return this;
    }

    public void Deallocate(VmId vm, HostId host) => allocations.RemoveAll(a => a.Vm == vm && a.Host == host);

    /// <summary>A snapshot that has heard of everything, from scratch.</summary>
    public FleetSnapshot Told()
    {
        var told = new FleetSnapshot(options);
        told.SetPools(Pools);
        foreach (var host in Hosts)
        {
            told.UpsertHost(host.Record);
            told.UpsertDevices(host.Id, host.Devices.Values);
        }
        foreach (var allocation in allocations)
            told.UpsertAllocation(allocation);
        return told;
    }

    public static PlacementRequest Request(int vm = 1, int vcpus = 1, long memoryMiB = 512) =>
        new() { Vm = Ids.Vm(vm), Project = Ids.Project, Share = new HostShare(vcpus, memoryMiB) };

    /// <summary>So many functions of a pool.</summary>
    public static IReadOnlyList<DeviceDemand> Want(DevicePool pool, int count, string name = "dev") =>
        [.. PlacementRequest.DemandsOf(new DeviceRequestSpec(name, pool.Id, count))];

    public HostExplanation Explain(PlacementRequest request) => Assert.Single(Snapshot.Explain(request).Hosts);
}

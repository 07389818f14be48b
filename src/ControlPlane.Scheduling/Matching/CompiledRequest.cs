using System.Collections.Immutable;
using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Scheduling.Placements;
using ControlPlane.Scheduling.Snapshot;

namespace ControlPlane.Scheduling.Matching;

/// <summary>A request with everything looked up that does not depend on the host, so that asking a host is a few array reads.</summary>
internal sealed class CompiledRequest
{
    private readonly List<string> problems = [];
    private readonly bool[] cpuFits;

    public CompiledRequest(FleetState fleet, PlacementRequest request)
    {
        Request = request;
        Seed = FleetState.Mix(request.Vm.Value);
        ClassOfDemand = new int[request.Devices.Count];
        Classes = Classify(fleet.Catalog);
        // In a hot-plug, even one function has to suit those that the VM has already.
        IsBondSafe = request.DeviceSpread == DeviceSpread.DistinctPhysicalFunctions
            && Classes.Where(c => c.IsVirtual).Sum(c => c.Count) > (request.Purpose == PlacementPurpose.HotPlug ? 0 : 1);
        Members = request.Group is { } group
            ? fleet.Groups.GetValueOrDefault(new GroupKey(request.Project, group), ImmutableDictionary<int, int>.Empty)
            : ImmutableDictionary<int, int>.Empty;
        cpuFits = [.. fleet.CpuModels.Select(m => request.SourceCpu is null || MissingFeatures(request.SourceCpu, m) is [])];
        Only = request.OnlyHosts is { } only ? [.. only.Where(fleet.IndexOf.ContainsKey).Select(id => fleet.IndexOf[id])] : null;
        Excluded = [.. request.ExcludeHosts.Where(fleet.IndexOf.ContainsKey).Select(id => fleet.IndexOf[id])];
        Selector = [.. request.HostSelector];
        Wires = [.. request.Networks.Select(n => n.PhysicalNetwork).OfType<string>().Distinct().Select(fleet.Catalog.WireIndexOf).OfType<int>()];
        if (request.OnlyHosts is not null && Only!.Count == 0)
            problems.Add("The host that the request names does not exist.");
    }

    public PlacementRequest Request { get; }

    /// <summary>Drawn from the VM's id: breaks ties in the same way on every server, and differently for every VM.</summary>
    public ulong Seed { get; }

    public DemandClass[] Classes { get; }

    public int[] ClassOfDemand { get; }

    /// <summary>All virtual functions from different physical ones, on one NUMA node and one wire; one alone is always safe.</summary>
    public bool IsBondSafe { get; }

    public ImmutableDictionary<int, int> Members { get; }

    /// <summary>Host indexes; null: any host.</summary>
    public HashSet<int>? Only { get; }

    public HashSet<int> Excluded { get; }

    public KeyValuePair<string, string>[] Selector { get; }

    /// <summary>Wires of the interfaces that some pool names; of others nobody has said where they are plugged in.</summary>
    public int[] Wires { get; }

    /// <summary>What no host could mend.</summary>
    public IReadOnlyList<string> Problems => problems;

    public bool FitsCpu(int cpuModel) => cpuFits[cpuModel];

    public static IReadOnlyList<string> MissingFeatures(CpuModel source, CpuModel target) =>
        source.Vendor != target.Vendor ? [$"vendor {source.Vendor}"] : [.. source.Features.Except(target.Features)];

    private DemandClass[] Classify(DeviceCatalog catalog)
    {
        var classes = new List<DemandClass>();
        var byKey = new Dictionary<DeviceDemand, int>();
        for (var i = 0; i < Request.Devices.Count; i++)
        {
            var demand = Request.Devices[i];
            var key = demand with { Name = "" };
            if (!byKey.TryGetValue(key, out var index))
            {
                index = classes.Count;
                byKey.Add(key, index);
                classes.Add(new DemandClass(demand, PoolsFor(demand, catalog), catalog));
            }
            ClassOfDemand[i] = index;
            classes[index].Count++;
        }
        return [.. classes];
    }

    private int[] PoolsFor(DeviceDemand demand, DeviceCatalog catalog)
    {
        if (demand.Pool is { } pool)
        {
            if (catalog.IndexOf(pool) is { } index)
                return [index];
            problems.Add($"There is no device pool '{pool}' ('{demand.Name}' asks for it).");
            return [];
        }
        var serving = new List<int>();
        for (var i = 0; i < catalog.PoolCount; i++)
        {
            var candidate = catalog.Pools[i];
            if (candidate.Kind == PoolKind.VirtualFunction && (demand.PhysicalNetwork is null || candidate.PhysicalNetwork == demand.PhysicalNetwork))
                serving.Add(i);
        }
        if (serving.Count == 0)
        {
            problems.Add(demand.PhysicalNetwork is { } wire
                ? $"No pool of virtual functions is on physical network '{wire}', which interface '{demand.Name}' needs one of."
                : $"There is no pool of virtual functions; interface '{demand.Name}' needs one.");
        }
        return [.. serving];
    }
}

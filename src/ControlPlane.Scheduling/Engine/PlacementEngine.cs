using ControlPlane.Domain.Pci;
using ControlPlane.Scheduling.Filters;
using ControlPlane.Scheduling.Matching;
using ControlPlane.Scheduling.Placements;
using ControlPlane.Scheduling.Snapshot;
using ControlPlane.Scheduling.Weighers;

namespace ControlPlane.Scheduling.Engine;

/// <summary>
/// Decides: every host through the filters and the coarse weighers, then the few best through matching and the fine ones. When none of
/// the best can be matched, the rest is tried in order, so a host that fits is never missed. Holds only scratch memory; one caller at a
/// time.
/// </summary>
internal sealed class PlacementEngine
{
    /// <summary>The coarse score in steps: hosts that are nearly equal count as equal, and the VM's own tie-break spreads racing servers over them.</summary>
    private const double Steps = 64;

    private readonly int finalists;
    private readonly IHostWeigher[] hostWeighers;
    private readonly IFitWeigher[] fitWeighers = [new NumaClosenessWeigher(), new PhysicalFunctionBalanceWeigher(), new CompanionWeigher()];
    private readonly HostFitter fitter = new();
    private readonly HostFit trial = new();
    private readonly HostFit best = new();
    private ulong[] keys = [];
    private int[] hosts = [];

    public PlacementEngine(SchedulingOptions options)
    {
        finalists = Math.Max(1, options.Finalists);
        hostWeighers =
        [
            new CapacityWeigher(options.Layout), new GroupWeigher(), new DeviceScarcityWeigher(), new DeviceSupplyWeigher(options.Layout),
        ];
    }

    /// <summary>The cheap ones first: most hosts that fall out do so early.</summary>
    public static IReadOnlyList<IHostFilter> Filters => AllFilters;

    private static readonly IHostFilter[] AllFilters =
    [
        new HostStateFilter(), new NamedHostFilter(), new CapacityFilter(), new DeviceFilter(), new AffinityFilter(), new CpuModelFilter(),
        new NetworkReachFilter(), new HostSelectorFilter(), new NumaFilter(),
    ];

    public Placement? Decide(FleetState fleet, PlacementRequest request)
    {
        var compiled = new CompiledRequest(fleet, request);
        return Decide(fleet, compiled);
    }

    public Placement? Decide(FleetState fleet, CompiledRequest request)
    {
        if (request.Problems.Count > 0)
            return null;
        var count = Scan(fleet, request);
        var first = Math.Min(finalists, count);
        SelectBest(count, first);
        if (TryBatch(fleet, request, 0, first))
            return ToPlacement(fleet, request, best);
        if (count == first)
            return null;
        Array.Sort(keys, hosts, first, count - first, Descending.Instance);
        for (var start = first; start < count; start += finalists)
        {
            if (TryBatch(fleet, request, start, Math.Min(count, start + finalists)))
                return ToPlacement(fleet, request, best);
        }
        return null;
    }

    public static bool Keeps(FleetState fleet, int host, CompiledRequest request)
    {
        foreach (var filter in AllFilters)
        {
            if (!filter.Keeps(fleet, host, request))
                return false;
        }
        return true;
    }

    /// <summary>True when this one host would serve the request.</summary>
    public bool Fits(FleetState fleet, int host, CompiledRequest request) =>
        request.Problems.Count == 0 && Keeps(fleet, host, request) && fitter.TryFit(fleet, host, request, trial);

    private int Scan(FleetState fleet, CompiledRequest request)
    {
        if (keys.Length < fleet.Slots)
        {
            keys = new ulong[fleet.Ids.Length];
            hosts = new int[fleet.Ids.Length];
        }
        var count = 0;
        if (request.Only is { } only)
        {
            foreach (var host in only)
                count = Consider(fleet, host, request, count);
            return count;
        }
        for (var host = 0; host < fleet.Slots; host++)
        {
            if (fleet.Blocks[host] is not null)
                count = Consider(fleet, host, request, count);
        }
        return count;
    }

    private int Consider(FleetState fleet, int host, CompiledRequest request, int count)
    {
        if (!Keeps(fleet, host, request))
            return count;
        var score = 0.0;
        foreach (var weigher in hostWeighers)
            score += weigher.Weight * weigher.Weigh(fleet, host, request);
        keys[count] = ((ulong)(score * Steps) << 40) | (TieBreak(fleet, host, request) >> 24);
        hosts[count] = host;
        return count + 1;
    }

    /// <summary>The same on every server for one VM and host, and unrelated for the next VM (the finalizer of SplitMix64).</summary>
    private static ulong TieBreak(FleetState fleet, int host, CompiledRequest request)
    {
        var mixed = fleet.Hashes[host] ^ request.Seed;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9UL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebUL;
        return mixed ^ (mixed >> 31);
    }

    /// <summary>Brings the highest keys to the front, in order: a partial selection, as only a few are wanted of many.</summary>
    private void SelectBest(int count, int wanted)
    {
        if (wanted == 0)
            return;
        Array.Sort(keys, hosts, 0, wanted, Descending.Instance);
        for (var i = wanted; i < count; i++)
        {
            if (keys[i] <= keys[wanted - 1])
                continue;
            (keys[wanted - 1], keys[i]) = (keys[i], keys[wanted - 1]);
            (hosts[wanted - 1], hosts[i]) = (hosts[i], hosts[wanted - 1]);
            for (var j = wanted - 1; j > 0 && keys[j] > keys[j - 1]; j--)
            {
                (keys[j - 1], keys[j]) = (keys[j], keys[j - 1]);
                (hosts[j - 1], hosts[j]) = (hosts[j], hosts[j - 1]);
            }
        }
    }

    private bool TryBatch(FleetState fleet, CompiledRequest request, int start, int end)
    {
        var bestScore = double.NegativeInfinity;
        for (var i = start; i < end; i++)
        {
            if (!fitter.TryFit(fleet, hosts[i], request, trial))
                continue;
            var score = (keys[i] >> 40) / Steps;
            foreach (var weigher in fitWeighers)
                score += weigher.Weight * weigher.Weigh(trial);
            if (score > bestScore)
            {
                bestScore = score;
                best.CopyFrom(trial);
            }
        }
        return bestScore > double.NegativeInfinity;
    }

    private static Placement ToPlacement(FleetState fleet, CompiledRequest request, HostFit fit)
    {
        var block = fleet.Blocks[fit.Host]!;
        var table = block.Devices;
        var asked = request.Request;
        var devices = new DeviceReservation[asked.Devices.Count];
        for (var d = 0; d < devices.Length; d++)
            devices[d] = Reservation(table, fit.Devices.Rows[d], new DeviceOwner(asked.Vm, asked.Devices[d].Name));
        return new Placement(
            asked.Vm, asked.Project, asked.Group, asked.Purpose, fleet.Ids[fit.Host], block.Host.Name, asked.Share,
            fit.Cell == HostFit.Floating || asked.Purpose == PlacementPurpose.HotPlug ? [] : [new CellShare(block.CellNodes[fit.Cell], asked.Share)],
            devices, CompanionsOf(table, request, fit));
    }

    private static List<DeviceReservation> CompanionsOf(DeviceTable table, CompiledRequest request, HostFit fit)
    {
        var companions = new List<DeviceReservation>();
        var done = new HashSet<int>();
        for (var d = 0; d < fit.Devices.Rows.Length; d++)
        {
            var group = table.Rows[fit.Devices.Rows[d]].Group;
            if (!done.Add(group))
                continue;
            foreach (var member in table.MembersOf(group))
            {
                if (table.Rows[member].IsClaimable && !fit.Devices.Rows.Contains(member))
                    companions.Add(Reservation(table, member, new DeviceOwner(request.Request.Vm, request.Request.Devices[d].Name, Companion: true)));
            }
        }
        return companions;
    }

    private static DeviceReservation Reservation(DeviceTable table, int index, DeviceOwner owner)
    {
        ref readonly var row = ref table.Rows[index];
        var node = table.NodeOf(row);
        return new DeviceReservation(
            row.Address, row.Generation, owner, row.IommuGroup, node == DeviceRow.UnknownNode ? null : node,
            row.Has(DeviceFlags.Virtual) ? row.PhysicalFunction : null);
    }

    private sealed class Descending : IComparer<ulong>
    {
        public static readonly Descending Instance = new();

        public int Compare(ulong x, ulong y) => y.CompareTo(x);
    }
}

using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Scheduling.Filters;
using ControlPlane.Scheduling.Matching;
using ControlPlane.Scheduling.Snapshot;

namespace ControlPlane.Scheduling.Explanation;

/// <summary>
/// Looks for the smallest set of changes after which a VM fits on a host: a single one where that is enough; else it mends one failing
/// constraint after the other, then takes away every change that the VM fits without. All are tried on a copy: nothing is suggested that
/// was not seen to work.
/// </summary>
internal sealed class SmallestChangeSearch(HostExaminer examiner)
{
    private const int MaxChanges = 64;

    public SmallestChange? Find(WhatIf what)
    {
        var changes = new List<FleetChange>();
        try
        {
            if (FindSingle(what) is { } single)
                return new SmallestChange(single.Sentence, [single]);
            while (examiner.Failing(what.Fleet, what.Host, what.Request) is [var first, ..])
            {
                var more = Mend(what, first);
                if (more.Count == 0 || changes.Count + more.Count > MaxChanges)
                    return null;
                what.Apply(more);
                changes.AddRange(more);
            }
            Prune(what, changes);
        }
        finally
        {
            what.Reset();
        }
        return changes.Count == 0 ? null : new SmallestChange(string.Join(" and ", changes.Select(c => c.Sentence)), changes);
    }

    /// <summary>
    /// One change that mends everything. Only devices and NUMA can be mended by one change in several ways, and the step by step search
    /// may begin with a way that needs another change after it.
    /// </summary>
    private FleetChange? FindSingle(WhatIf what)
    {
        if (examiner.Failing(what.Fleet, what.Host, what.Request) is [] or [not (DeviceFilter or NumaFilter), ..])
            return null;
        var before = what.Save();
        foreach (var repair in DeviceRepairs.For(what, 1).Where(r => r.Changes.Count == 1).OrderBy(r => r.Rank))
        {
            what.Apply(repair.Changes);
            var mends = examiner.Failing(what.Fleet, what.Host, what.Request) is [];
            what.Restore(before);
            if (mends)
                return repair.Changes[0];
        }
        return null;
    }

    private void Prune(WhatIf what, List<FleetChange> changes)
    {
        for (var i = changes.Count - 1; i >= 0 && changes.Count > 1; i--)
        {
            what.Reset();
            what.Apply(changes.Where((_, index) => index != i));
            if (examiner.Failing(what.Fleet, what.Host, what.Request) is [])
                changes.RemoveAt(i);
        }
    }

    /// <summary>Changes that mend one constraint, not applied yet; empty: none is known.</summary>
    private List<FleetChange> Mend(WhatIf what, IHostFilter failing)
    {
        var id = what.Fleet.Ids[what.Host];
        return failing switch
        {
            HostStateFilter => [new ActivateHost(id, Activation(what.Fleet.Blocks[what.Host]!.Host))],
            NamedHostFilter when !what.Request.Excluded.Contains(what.Host) =>
                [new AllowHost(id, $"let the request name {what.Fleet.Blocks[what.Host]!.Host.Name}, or no host")],
            HostSelectorFilter =>
                [.. HostSelectorFilter.Missing(what.Fleet, what.Host, what.Request)
                    .Select(key => new DropHostSelector(key, $"drop {key}={what.Request.Request.HostSelector[key]} from hostSelector"))],
            AffinityFilter => [new RelaxGroupPolicy(GroupPolicy.Spread, "relax groupPolicy from hard-spread to spread")],
            NumaFilter => [new RelaxNumaPolicy(NumaPolicy.Preferred, "relax numaPolicy from required to preferred")],
            CapacityFilter => [MendCapacity(what)],
            DeviceFilter => MendDevices(what),
            _ => [],
        };
    }

    private static string Activation(Host host) => host.State switch
    {
        HostState.Up => "uncordon the host",
        HostState.Draining or HostState.Maintenance => "activate the host",
        _ => "bring the host back up",
    };

    private static FleetChange MendCapacity(WhatIf what)
    {
        var share = what.Request.Request.Share;
        var limit = what.Fleet.Limits[what.Host];
        var never = Shares.Lacks(share, limit);
        if (never != HostShare.None)
        {
            var least = share - never;
            return new ReduceShare(least, $"ask for at most {CapacityFilter.Words(least, never)}");
        }
        var lacks = Shares.Lacks(share, what.Fleet.Free[what.Host]);
        return new FreeCapacity(what.Fleet.Ids[what.Host], lacks, null, $"free {CapacityFilter.Words(lacks, lacks)}");
    }

    /// <summary>Takes the repair that serves most demands for each change it takes, and among equals the one that does least harm, until all are served.</summary>
    private static List<FleetChange> MendDevices(WhatIf what)
    {
        var before = what.Save();
        var done = new List<FleetChange>();
        var wanted = what.Request.ClassOfDemand.Length;
        var matched = Matched(what);
        while (matched < wanted && done.Count < MaxChanges)
        {
            var best = DeviceRepairs.For(what, wanted - matched)
                .Select(repair => (Repair: repair, Gain: GainOf(what, repair, matched)))
                .Where(r => r.Gain > 0)
                .OrderByDescending(r => (double)r.Gain / r.Repair.Changes.Count).ThenBy(r => r.Repair.Rank)
                .FirstOrDefault();
            if (best.Repair is null)
                break;
            // Each new virtual function serves at most one demand, so no more of them than demands gained.
            var changes = DeviceRepairs.AtMost(what, best.Repair, best.Gain);
            what.Apply(changes);
            done.AddRange(changes);
            matched += best.Gain;
        }
        what.Restore(before);
        return matched == wanted ? done : [];
    }

    private static int GainOf(WhatIf what, DeviceRepair repair, int matched)
    {
        var before = what.Save();
        what.Apply(repair.Changes);
        var gain = Matched(what) - matched;
        what.Restore(before);
        return gain;
    }

    private static int Matched(WhatIf what) => HostFitter.MostMatched(what.Fleet, what.Host, what.Request);
}

using ControlPlane.Scheduling.Engine;
using ControlPlane.Scheduling.Filters;
using ControlPlane.Scheduling.Matching;
using ControlPlane.Scheduling.Placements;
using ControlPlane.Scheduling.Snapshot;

namespace ControlPlane.Scheduling.Explanation;

/// <summary>
/// Says of every host what it fails. Counting is done for all of them, words are found only for those closest to fitting, so that an
/// answer over ten thousand hosts stays small and is given in milliseconds.
/// </summary>
internal sealed class Explainer(SchedulingOptions options)
{
    private readonly HostExaminer examiner = new();

    /// <param name="fleet">A fork of its own: changes are tried on it.</param>
    public PlacementExplanation Explain(FleetState fleet, PlacementRequest request)
    {
        var compiled = new CompiledRequest(fleet, request);
        var chosen = new PlacementEngine(options).Decide(fleet, compiled);
        var verdicts = Examine(fleet, compiled);
        var problems = fleet.HostCount == 0 ? [.. compiled.Problems, "The fleet has no hosts."] : compiled.Problems;
        var counts = PlacementEngine.Filters
            .Select(filter => new FailureCount(filter.Name, verdicts.Count(v => v.Failing.Contains(filter))))
            .Where(count => count.Hosts > 0).OrderByDescending(count => count.Hosts).ToArray();
        // The chosen host leads, then those that lack least.
        var described = verdicts.OrderByDescending(v => chosen is not null && fleet.Ids[v.Host] == chosen.Host).ThenBy(v => v.Failing.Count)
            .ThenBy(v => fleet.Blocks[v.Host]!.Host.Name, StringComparer.Ordinal)
            .Take(options.MaxExplainedHosts)
            .Select(v => Describe(fleet, compiled, v)).ToArray();
        return new PlacementExplanation(
            chosen, verdicts.Count, verdicts.Count(v => v.Failing.Count == 0), problems, counts, described, verdicts.Count - described.Length);
    }

    private List<Verdict> Examine(FleetState fleet, CompiledRequest request)
    {
        var verdicts = new List<Verdict>(fleet.HostCount);
        for (var host = 0; host < fleet.Slots; host++)
        {
            if (fleet.Blocks[host] is not null)
                verdicts.Add(new Verdict(host, examiner.Failing(fleet, host, request)));
        }
        return verdicts;
    }

    private HostExplanation Describe(FleetState fleet, CompiledRequest request, Verdict verdict)
    {
        var failed = verdict.Failing.Select(filter => HostExaminer.Describe(fleet, verdict.Host, request, filter)).ToArray();
        // What is wrong with the request itself is mended there, not on a host.
        var change = failed.Length == 0 || request.Problems.Count > 0
            ? null
            : new SmallestChangeSearch(examiner).Find(new WhatIf(fleet, verdict.Host, request));
        return new HostExplanation(fleet.Ids[verdict.Host], fleet.Blocks[verdict.Host]!.Host.Name, failed, change);
    }

    private sealed record Verdict(int Host, List<IHostFilter> Failing);
}

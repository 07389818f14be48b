using ControlPlane.Domain;
using ControlPlane.Scheduling.Placements;

namespace ControlPlane.Scheduling.Explanation;

/// <summary>One constraint that a host does not meet.</summary>
/// <param name="Filter">Stable, kebab-case: <c>host-state</c>, <c>devices</c>…</param>
/// <param name="Needed">What the request asks for, with its unit.</param>
/// <param name="Available">What the host has to give, in the same unit.</param>
/// <param name="Detail">One sentence: where the rest is.</param>
public sealed record FailedConstraint(string Filter, string Needed, string Available, string Detail);

/// <summary>
/// Changes after which the VM fits, proven by evaluating the host again with them made. None is superfluous: without any one of them it
/// does not fit. Found step by step, each step the one that helps most for the least harm.
/// </summary>
public sealed record SmallestChange(string Sentence, IReadOnlyList<FleetChange> Changes);

/// <param name="Failed">Empty: the host fits.</param>
/// <param name="SmallestChange">Null: no change that is known would make it fit, or the host fits.</param>
public sealed record HostExplanation(HostId Host, string HostName, IReadOnlyList<FailedConstraint> Failed, SmallestChange? SmallestChange)
{
    public bool Fits => Failed.Count == 0;
}

/// <summary>How many hosts fail one constraint; a host that fails several is counted in each.</summary>
public sealed record FailureCount(string Filter, int Hosts);

/// <summary>Why a VM goes where it goes, or nowhere. Bounded in size: the hosts closest to fitting come first, the rest is counted.</summary>
/// <param name="Chosen">Where the VM would go now; null: nowhere.</param>
/// <param name="Problems">What is wrong with the request on every host: an unknown pool, a network that no pool serves, a fleet without hosts.</param>
/// <param name="Omitted">Hosts that are only part of <paramref name="Counts"/>.</param>
public sealed record PlacementExplanation(
    Placement? Chosen, int HostsConsidered, int HostsFitting, IReadOnlyList<string> Problems, IReadOnlyList<FailureCount> Counts,
    IReadOnlyList<HostExplanation> Hosts, int Omitted)
{
    /// <summary>One sentence for the problem document's detail.</summary>
    public string Summary => string.Join(' ', [$"{HostsFitting} of {HostsConsidered} hosts fit.", .. Problems]);
}

using ControlPlane.Scheduling.Explanation;
using ControlPlane.Scheduling.Tests.Fleets;

namespace ControlPlane.Scheduling.Tests;

/// <summary>Over thousands of small fleets: what an explanation suggests works, and nothing of it is superfluous.</summary>
public sealed class ExplanationProperties
{
    [Fact]
    public void Making_the_smallest_change_makes_the_vm_fit() => Seeds.ForAll(seed =>
        string.Join("; ", Suggestions(seed).Where(s => !FitsAfter(seed, s.Host, s.Change.Changes)).Select(s => $"{s.Host.Record.Name}: '{s.Change.Sentence}' does not help")));

    [Fact]
    public void Leaving_out_any_part_of_the_smallest_change_is_not_enough() => Seeds.ForAll(seed =>
        string.Join("; ", Suggestions(seed)
            .SelectMany(s => s.Change.Changes.Select(left => (s.Host, s.Change, Left: left)))
            .Where(s => FitsAfter(seed, s.Host, s.Change.Changes.Where(c => c != s.Left)))
            .Select(s => $"{s.Host.Record.Name}: '{s.Change.Sentence}' works without '{s.Left}'")));

    [Fact]
    public void Every_kind_of_change_is_suggested_to_some_host()
    {
        var changes = Enumerable.Range(1, 1500).SelectMany(Suggestions).SelectMany(s => s.Change.Changes).Select(c => c.GetType()).ToHashSet();
        var known = typeof(FleetChange).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(FleetChange)));

        Assert.Equal(known.OrderBy(t => t.Name), changes.OrderBy(t => t.Name));
    }

    [Fact]
    public void A_host_that_a_single_release_would_mend_is_told_a_single_change() => Seeds.ForAll(seed =>
    {
        var drawn = new RandomFleet(seed);
        var wrong = drawn.Fleet.Snapshot.Explain(drawn.Request).Hosts.Where(h => !h.Fits && h.SmallestChange is not { Changes.Count: 1 }).Where(h =>
        {
            var owned = drawn.Fleet.Hosts.Single(t => t.Id == h.Host).Devices.Values.Where(d => d.Ownership.Owner is not null);
            return owned.Any(d => FitsAfter(seed, drawn.Fleet.Hosts.Single(t => t.Id == h.Host), [new ReleaseDevice(h.Host, d.Address, null, "")]));
        });
        return string.Join("; ", wrong.Select(h => $"{h.HostName} was told '{h.SmallestChange?.Sentence}'"));
    });

    private static IEnumerable<(TestHost Host, SmallestChange Change)> Suggestions(int seed)
    {
        var drawn = new RandomFleet(seed);
        return drawn.Fleet.Snapshot.Explain(drawn.Request).Hosts.Where(h => h.SmallestChange is not null)
            .Select(h => (drawn.Fleet.Hosts.Single(t => t.Id == h.Host), h.SmallestChange!));
    }

    /// <summary>On a fleet drawn anew, so that one host's changes do not meet another's.</summary>
    private static bool FitsAfter(int seed, TestHost on, IEnumerable<FleetChange> changes)
    {
        var drawn = new RandomFleet(seed);
        var host = drawn.Fleet.Hosts.Single(h => h.Id == on.Id);
        var request = changes.Aggregate(drawn.Request, (r, change) => ChangeMaker.Make(drawn.Fleet, host, r, change));
        return Rules.ExistsOn(drawn.Fleet, host, request);
    }
}

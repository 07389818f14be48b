using ControlPlane.Domain.Statistics;

namespace ControlPlane.Hypervisor.Emulated.Counting;

/// <summary>What a mechanism of the model counts, written down when somebody asks. Groups and counters keep the order in which they first came.</summary>
internal sealed class CounterSheet
{
    private readonly List<(string Name, List<Counter> Counters)> groups = [];
    private (string Name, List<Counter> Counters) last;

    /// <summary>A second value under the same name is added to the first: a host with two NICs has one counter of spoofed frames.</summary>
    public void Add(string group, string name, long value)
    {
        var counters = CountersOf(group);
        for (var at = 0; at < counters.Count; at++)
        {
            if (counters[at].Name != name)
                continue;
            counters[at] = new Counter(name, counters[at].Value + value);
            return;
        }
        counters.Add(new Counter(name, value));
    }

    /// <summary>What is counted together is written down together: mostly it is the last one again.</summary>
    private List<Counter> CountersOf(string group)
    {
        if (last.Name == group)
            return last.Counters;
        foreach (var known in groups)
        {
            if (known.Name != group)
                continue;
            last = known;
            return known.Counters;
        }
        groups.Add(last = (group, new List<Counter>(8)));
        return last.Counters;
    }

    public IReadOnlyList<CounterGroup> ToGroups() => [.. groups.Select(g => new CounterGroup(g.Name, [.. g.Counters]))];
}

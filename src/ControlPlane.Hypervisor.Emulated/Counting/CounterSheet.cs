using ControlPlane.Domain.Statistics;

namespace ControlPlane.Hypervisor.Emulated.Counting;

/// <summary>What a mechanism of the model counts, written down when somebody asks. Groups and counters keep the order in which they first came.</summary>
internal sealed class CounterSheet
{
    private readonly List<(string Name, List<Counter> Counters)> groups = [];

    /// <summary>A second value under the same name is added to the first: a host with two NICs has one counter of spoofed frames.</summary>
    public void Add(string group, string name, long value)
    {
        var counters = groups.Find(g => g.Name == group).Counters;
        if (counters is null)
            groups.Add((group, counters = []));
        var at = counters.FindIndex(c => c.Name == name);
        if (at < 0)
            counters.Add(new Counter(name, value));
        else
            counters[at] = counters[at] with { Value = counters[at].Value + value };
    }

    public IReadOnlyList<CounterGroup> ToGroups() => [.. groups.Select(g => new CounterGroup(g.Name, [.. g.Counters]))];
}

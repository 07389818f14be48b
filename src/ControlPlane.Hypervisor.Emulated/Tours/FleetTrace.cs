using ControlPlane.Domain.Statistics;

namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>A number that stands for a whole course of events: what is seen on the way goes into it, in its order (FNV-1a, 64 bits).</summary>
internal sealed class FleetTrace
{
    private const ulong Prime = 1099511628211UL;

    public ulong Hash { get; private set; } = 14695981039346656037UL;

    /// <summary>How much was seen.</summary>
    public long Entries { get; private set; }

    public void Note(long value)
    {
        Hash = (Hash ^ (ulong)value) * Prime;
        Hash ^= Hash >> 32;
        Entries++;
    }

    public void Note(DateTimeOffset at, IReadOnlyList<CounterGroup> groups)
    {
        Note(at.UtcTicks);
        foreach (var group in groups)
        {
            foreach (var counter in group.Counters)
                Note(counter.Value);
        }
    }
}

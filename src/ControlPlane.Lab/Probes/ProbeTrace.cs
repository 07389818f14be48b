namespace ControlPlane.Lab.Probes;

/// <summary>One probe: when it left and when its reply arrived, both since the stream began; no reply: lost, or not back yet.</summary>
public readonly record struct Probe(TimeSpan Sent, TimeSpan? Answered);

/// <summary>What a stretch of the stream shows of the traffic.</summary>
/// <param name="Sent">Probes that left.</param>
/// <param name="Lost">Of them, without a reply.</param>
/// <param name="Gap">
/// The longest interruption: from the sending of the last answered probe before the longest run of lost ones to that of the first answered one
/// after it. Zero where nothing was lost; to the stretch's end where no later one was answered.
/// </param>
/// <param name="Silence">The longest time between two arrivals: also counts replies that were only late.</param>
/// <param name="WorstRoundTrip">The slowest reply.</param>
public sealed record ProbeFigures(int Sent, int Lost, TimeSpan Gap, TimeSpan Silence, TimeSpan WorstRoundTrip);

/// <summary>The probes of a stream in the order in which they left, at a fixed distance; a sequence number is an index here.</summary>
public sealed class ProbeTrace(IReadOnlyList<Probe> probes)
{
    public IReadOnlyList<Probe> Probes => probes;

    /// <summary>The figures of the probes that left in a stretch of time.</summary>
    public ProbeFigures Between(TimeSpan from, TimeSpan to)
    {
        var stretch = probes.Where(probe => probe.Sent >= from && probe.Sent < to).ToList();
        var answered = stretch.Where(probe => probe.Answered is not null).ToList();
        var arrivals = answered.Select(probe => probe.Answered!.Value).Order().Prepend(from).ToList();
        return new ProbeFigures(
            stretch.Count,
            stretch.Count - answered.Count,
            LongestGap(stretch, from, to),
            arrivals.Zip(arrivals.Skip(1), (before, after) => after - before).DefaultIfEmpty(to - from).Max(),
            answered.Select(probe => probe.Answered!.Value - probe.Sent).DefaultIfEmpty().Max());
    }

    private static TimeSpan LongestGap(IEnumerable<Probe> stretch, TimeSpan from, TimeSpan to)
    {
        var (longest, lastAnswered, isLosing) = (TimeSpan.Zero, from, false);
        foreach (var probe in stretch)
        {
            if (probe.Answered is null)
            {
                isLosing = true;
                continue;
            }

            if (isLosing)
                longest = Max(longest, probe.Sent - lastAnswered);
            (lastAnswered, isLosing) = (probe.Sent, false);
        }

        return isLosing ? Max(longest, to - lastAnswered) : longest;
    }

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;
}

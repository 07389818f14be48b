using System.Diagnostics;

namespace ControlPlane.Benchmarks.Running;

/// <summary>Many calls by some callers at once, each caller one call at a time.</summary>
internal sealed record Load(int Count, TimeSpan Elapsed, IReadOnlyList<TimeSpan> Latencies)
{
    /// <summary>Rounds in a row that must bring nothing.</summary>
    private const int SlowerRoundsWanted = 4;

    private const double SpeedUpThatCounts = 1.02;

    public double PerSecond => Count / Elapsed.TotalSeconds;

    public static async Task<Load> RunAsync(int callers, int count, Func<int, CancellationToken, Task> call, CancellationToken ct)
    {
        var latencies = new TimeSpan[count];
        var next = -1;
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
        {
            for (var n = Interlocked.Increment(ref next); n < count; n = Interlocked.Increment(ref next))
            {
                var sent = Stopwatch.GetTimestamp();
                await call(n, ct);
                latencies[n] = Stopwatch.GetElapsedTime(sent);
            }
        }, ct)));
        return new Load(count, Stopwatch.GetElapsedTime(began), latencies);
    }

    /// <summary>
    /// Runs until rounds no longer get faster: a server that has just started spends most of its time compiling its own hot paths, for
    /// tens of thousands of calls.
    /// </summary>
    /// <param name="call">Gets a number that no other call gets.</param>
    public static async Task UntilSteadyAsync(int callers, int roundSize, Func<int, CancellationToken, Task> call, CancellationToken ct)
    {
        var best = 0.0;
        for (var (round, slower) = (0, 0); slower < SlowerRoundsWanted; round++)
        {
            var first = round * roundSize;
            var load = await RunAsync(callers, roundSize, (n, token) => call(first + n, token), ct);
            slower = load.PerSecond > best * SpeedUpThatCounts ? 0 : slower + 1;
            best = Math.Max(best, load.PerSecond);
        }
    }

    /// <param name="share">0.99 for the 99th of a hundred.</param>
    public TimeSpan Percentile(double share) => Latencies.Order().ElementAt(Math.Min(Count - 1, (int)Math.Ceiling(share * Count) - 1));

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>Of what is left when the lowest and the highest quarter are taken away.</summary>
    public static double MiddleMean(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        var quarter = sorted.Length / 4;
        return sorted[quarter..^quarter].Average();
    }
}

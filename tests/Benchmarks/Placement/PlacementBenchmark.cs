using System.Diagnostics;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Scheduling.Placements;

namespace ControlPlane.Benchmarks.Placement;

/// <summary>
/// How long a decision takes, one by one, on fleets that are half taken. Pure memory: no database, no network, one thread.
/// </summary>
internal static class PlacementBenchmark
{
    private const int Decisions = 2000;
    private const int Runs = 3;

    public static IReadOnlyList<Measurement> Run()
    {
        var lines = new List<Measurement>();
        Fleet(1000, boundMilliseconds: 1, lines);
        Fleet(10_000, boundMilliseconds: 3, lines);
        Alike(8, lines);
        Alike(BenchmarkFleet.FunctionsPerHost, lines);
        return lines;
    }

    private static void Fleet(int hosts, double boundMilliseconds, List<Measurement> lines)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var fleet = new BenchmarkFleet(hosts, takenShare: 0.5);
        var grown = (GC.GetTotalMemory(forceFullCollection: true) - before) / 1048576.0;
        var name = $"{hosts:N0} hosts x {BenchmarkFleet.FunctionsPerHost} functions";
        lines.Add(Measurement.Plain($"{name}: memory of the snapshot", grown, "MiB"));
        AddPercentiles($"{name}: decide, 2 functions", Time(() => fleet.NextRequest(2), r => fleet.Snapshot.Place(r) is not null), boundMilliseconds, lines);
        AddPercentiles(
            $"{name}: decide, 2 functions, bond-safe, one NUMA node",
            Time(
                () => fleet.NextRequest(2) with { NumaPolicy = NumaPolicy.Required, DeviceSpread = DeviceSpread.DistinctPhysicalFunctions },
                r => fleet.Snapshot.Place(r) is not null),
            boundMilliseconds, lines);
        AddPercentiles($"{name}: decide and reserve, 2 functions", Time(() => fleet.NextRequest(2), r => fleet.Snapshot.Reserve(r).Succeeded, runs: 1), boundMilliseconds, lines);
        AddPercentiles($"{name}: decide, 64 functions, none left", Time(() => fleet.NextRequest(64), r => fleet.Snapshot.Place(r) is null), boundMilliseconds, lines);
        AddExplain($"{name}: explain, 64 functions where half are taken", fleet, 64, lines);
        AddExplain($"{hosts:N0} full hosts: explain, 2 functions", new BenchmarkFleet(hosts, takenShare: 1), 2, lines);
    }

    /// <summary>Words for all hosts of the answer, and the smallest change for each of them, found by trying.</summary>
    private static void AddExplain(string name, BenchmarkFleet fleet, int functions, List<Measurement> lines)
    {
        var timing = Time(() => fleet.NextRequest(functions), r => fleet.Snapshot.Explain(r).HostsFitting == 0, decisions: 10);
        lines.Add(Measurement.Plain($"{name}, {SchedulingOptions.Default.MaxExplainedHosts} hosts described, p50 of the fastest runs", timing.FastestAt(0.5), "ms"));
    }

    /// <summary>As many requests as there are functions, all alike: where trying combinations would take 8^8 or 64! of them.</summary>
    private static void Alike(int functions, List<Measurement> lines)
    {
        var fleet = new BenchmarkFleet(1, takenShare: 0);
        if (functions < BenchmarkFleet.FunctionsPerHost)
            Check(fleet.Snapshot.Reserve(fleet.NextRequest(BenchmarkFleet.FunctionsPerHost - functions)).Succeeded);
        AddPercentiles($"{functions} over {functions} alike functions", Time(() => fleet.NextRequest(functions), r => fleet.Snapshot.Place(r) is not null), 1, lines);
    }

    /// <summary>
    /// The 99th percentile as a caller sees it is what is promised. The one of each decision's fastest run leaves out what other
    /// processes took from the machine meanwhile: where the two differ, the machine was busy.
    /// </summary>
    private static void AddPercentiles(string name, Timing timing, double boundMilliseconds, List<Measurement> lines)
    {
        lines.Add(Measurement.Plain($"{name}, p50", timing.At(0.5) * 1000, "us"));
        lines.Add(Measurement.Plain($"{name}, p99 of each decision's fastest run", timing.FastestAt(0.99) * 1000, "us"));
        lines.Add(Measurement.AtMost($"{name}, p99", timing.At(0.99), boundMilliseconds, "ms", 3));
    }

    /// <summary>Times every call several times. One that does not answer as it should ends the benchmark: it would measure nothing.</summary>
    private static Timing Time(Func<PlacementRequest> next, Func<PlacementRequest, bool> decide, int decisions = Decisions, int runs = Runs)
    {
        for (var i = 0; i < decisions / 5; i++)
            Check(decide(next()));
        var all = new List<double>(decisions * runs);
        var fastest = new List<double>(decisions);
        for (var i = 0; i < decisions; i++)
        {
            var request = next();
            var best = double.MaxValue;
            for (var run = 0; run < runs; run++)
            {
                var start = Stopwatch.GetTimestamp();
                var answered = decide(request);
                all.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                best = Math.Min(best, all[^1]);
                Check(answered);
            }
            fastest.Add(best);
        }
        all.Sort();
        fastest.Sort();
        return new Timing(all, fastest);
    }

    private static void Check(bool answered)
    {
        if (!answered)
            throw new InvalidOperationException("The fleet answers otherwise than this benchmark is about.");
    }

    /// <summary>Milliseconds, ascending: of every run, and of each call's fastest.</summary>
    private sealed record Timing(List<double> All, List<double> Fastest)
    {
        public double At(double quantile) => All[(int)(All.Count * quantile)];

        public double FastestAt(double quantile) => Fastest[(int)(Fastest.Count * quantile)];
    }
}

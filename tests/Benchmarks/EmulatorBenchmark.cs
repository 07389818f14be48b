using System.Diagnostics;
using ControlPlane.Hypervisor.Emulated.Paging;
using ControlPlane.Hypervisor.Emulated.Tours;

namespace ControlPlane.Benchmarks;

/// <summary>How fast the emulator's mechanisms are, on one core.</summary>
internal static class EmulatorBenchmark
{
    private const int Rounds = 5;

    /// <summary>One line each: what is measured, a first run that is not, the promise, and the work, which answers how much it did.</summary>
    private static readonly IReadOnlyList<Measure> Measures =
    [
        new("translations, TLB hit", 20_000_000, "a second", TlbHits),
        new("translations, two-dimensional walk of 24 references", 1_000_000, "a second", TwoDimensionalWalks),
        .. NicRun.Ways.Select(way => new Measure($"frames of 1,514 bytes, out and in, {way}", 100_000, "a second", () => Frames(way))),
    ];

    public static IReadOnlyList<Measurement> Run() => [.. Measures.Select(m => Measurement.AtLeast(m.Name, Best(m.Work), m.AtLeast, m.Unit, 0))];

    /// <summary>Work done a second; the best of some rounds, because noise only ever takes.</summary>
    private static double Best(Func<Func<long>> prepare)
    {
        var work = prepare();
        work();
        var best = 0.0;
        for (var round = 0; round < Rounds; round++)
        {
            var began = Stopwatch.GetTimestamp();
            var done = work();
            best = Math.Max(best, done / Stopwatch.GetElapsedTime(began).TotalSeconds);
        }
        return best;
    }

    private static Func<long> TlbHits()
    {
        const int translations = 5_000_000;
        var run = new PagingRun(PageFormat.FourLevel, PageFormat.Ept);
        var address = run.MapOnePage();
        return () =>
        {
            for (var n = 0; n < translations; n++)
                run.Cpu.TryAccess(address + (n & 4095), PageAccess.Read, out _);
            return translations;
        };
    }

    private static Func<long> TwoDimensionalWalks()
    {
        const int walks = 200_000;
        var run = new PagingRun(PageFormat.FourLevel, PageFormat.Ept);
        var address = run.MapOnePage();
        if (run.ReferencesOfMiss(address) != 24)
            throw new InvalidOperationException("This is not the walk that was to be measured.");
        return () =>
        {
            for (var n = 0; n < walks; n++)
            {
                run.Cpu.InvalidatePage(address);
                run.Cpu.TryAccess(address, PageAccess.Read, out _);
            }
            return walks;
        };
    }

    private static Func<long> Frames(string way)
    {
        const int bursts = 3000;
        var run = new NicRun(way, frameBytes: 1514);
        return () => run.Bursts(bursts);
    }

    /// <param name="AtLeast">What was promised.</param>
    /// <param name="Work">Prepares, and answers what is measured: work that says how much of it was done.</param>
    private sealed record Measure(string Name, double AtLeast, string Unit, Func<Func<long>> Work);
}

using ControlPlane.Benchmarks.Running;
using ControlPlane.Testing;
using ControlPlane.Testing.Servers;

namespace ControlPlane.Benchmarks;

/// <summary>What the demo server takes when nobody asks anything of it, and how soon it is back after a stop.</summary>
internal static class FootprintBenchmark
{
    private const int Starts = 3;

    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(30);

    public static async Task<IReadOnlyList<Measurement>> RunAsync(CancellationToken ct)
    {
        using var directory = TestDirectory.Create("bench");
        TimeSpan firstStart;
        await using (var server = await RunningServer.StartAsync(Path.Combine(directory.Path, "data"), demo: true, ct: ct))
            firstStart = server.ReadyAfter;

        var starts = new List<double>();
        double resident = 0;
        for (var n = 1; n <= Starts; n++)
        {
            await using var server = await RunningServer.StartAsync(Path.Combine(directory.Path, "data"), demo: true, ct: ct);
            starts.Add(server.ReadyAfter.TotalSeconds);
            if (n < Starts)
                continue;
            await Task.Delay(Idle, TimeProvider.System, ct);
            resident = server.ResidentMiB;
        }

        return
        [
            Measurement.Plain("ready after the first start (database made)", firstStart.TotalSeconds, "s"),
            Measurement.AtMost("ready after a start on existing data, slowest", starts.Max(), 5, "s"),
            Measurement.AtMost($"resident memory after {Idle.TotalSeconds:0} s idle, without PostgreSQL", resident, 250, "MiB", 0),
        ];
    }
}

using ControlPlane.Benchmarks.Running;
using ControlPlane.Testing;
using ControlPlane.Testing.Servers;

namespace ControlPlane.Benchmarks;

/// <summary>
/// VMs created to running per second through HTTP by 16 callers, against one-row inserts per second of the same PostgreSQL with 16
/// clients. Both flush; the rounds alternate, so that what else the machine does falls on both.
/// </summary>
internal static class VmCreateBenchmark
{
    private const int Callers = 16;
    private const int Hosts = 8;
    private const int Rounds = 3;
    private const int VmsPerRound = 3000;
    private const int PgbenchSeconds = 4;

    public static async Task<IReadOnlyList<Measurement>> RunAsync(CancellationToken ct)
    {
        using var directory = TestDirectory.Create("bench");
        await using var server = await RunningServer.StartAsync(Path.Combine(directory.Path, "data"), demo: false, fastEmulation: true, ct);
        var database = new Database(server);
        await Fleet.RegisterAsync(server.Http, Hosts, ct);
        await Load.UntilSteadyAsync(Callers, VmsPerRound, (n, token) => Fleet.CreateVmAsync(server.Http, $"warm-{n}", start: true, token), ct);

        var inserts = new List<double>();
        var rounds = new List<Load>();
        for (var round = 0; round < Rounds; round++)
        {
            inserts.Add(await database.OneRowInsertsPerSecondAsync(Callers, PgbenchSeconds, ct));
            rounds.Add(await Load.RunAsync(Callers, VmsPerRound, (n, token) => Fleet.CreateVmAsync(server.Http, $"vm-{round}-{n}", start: true, token), ct));
            await Fleet.EnsureRunningAsync(server.Http, $"vm-{round}-{VmsPerRound - 1}", ct);
        }

        var rate = Load.Median(rounds.Select(load => load.PerSecond));
        var insertRate = Load.Median(inserts);
        return
        [
            Measurement.Plain($"pgbench, one-row inserts, {Callers} clients", insertRate, "per s", 0),
            Measurement.Plain($"VMs created to running, {Callers} callers", rate, "per s", 0),
            Measurement.Plain("   median time of one", Load.Median(rounds.Select(load => load.Percentile(0.5).TotalMilliseconds)), "ms"),
            Measurement.Plain("   99th percentile", Load.Median(rounds.Select(load => load.Percentile(0.99).TotalMilliseconds)), "ms"),
            Measurement.AtLeast("ratio (aim 0.15)", rate / insertRate, 0.10, "", 3),
        ];
    }
}

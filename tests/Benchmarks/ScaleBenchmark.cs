using System.Net.Http.Json;
using System.Text.Json;
using ControlPlane.Benchmarks.Running;
using ControlPlane.Testing;
using ControlPlane.Testing.Servers;

namespace ControlPlane.Benchmarks;

/// <summary>What a hundred thousand VMs cost those who list them and those who create the next one.</summary>
internal static class ScaleBenchmark
{
    private const int Callers = 16;
    private const int Hosts = 8;
    private const int Few = 1_000;
    private const int Many = 100_000;
    private const int CreatesPerRound = 800;
    private const int Rounds = 3;
    private const int PagesWalked = 400;
    private const int FirstPages = 400;

    public static async Task<IReadOnlyList<Measurement>> RunAsync(CancellationToken ct)
    {
        using var directory = TestDirectory.Create("bench");
        double costAtFew;
        await using (var server = await RunningServer.StartAsync(Path.Combine(directory.Path, "data"), demo: false, fastEmulation: true, ct))
        {
            await Fleet.RegisterAsync(server.Http, Hosts, ct);
            await Load.RunAsync(Callers, Few, (n, token) => Fleet.CreateVmAsync(server.Http, $"few-{n}", start: true, token), ct);
            costAtFew = await CostOfCreateAsync(server.Http, "few", ct);
            await Fleet.CreateVmAsync(server.Http, "template", start: false, ct);
            await SeedAsync(new Database(server), ct);
        }

        // Started anew, so that nothing the server keeps in memory is left over from before.
        await using (var server = await RunningServer.StartAsync(Path.Combine(directory.Path, "data"), demo: false, fastEmulation: true, ct))
        {
            var pages = await WalkAsync(server.Http, ct);
            var first = await Load.RunAsync(1, FirstPages, (_, token) => ListAsync(server.Http, "vms?limit=100", token), ct);
            // As many as the first server had made when its cost was taken: both have compiled about as much of themselves.
            await Load.RunAsync(Callers, Few, (n, token) => Fleet.CreateVmAsync(server.Http, $"warm-{n}", start: true, token), ct);
            var costAtMany = await CostOfCreateAsync(server.Http, "many", ct);
            return
            [
                Measurement.AtMost($"list 100 of {Many:N0} VMs, first page, p99", first.Percentile(0.99).TotalMilliseconds, 25, "ms"),
                Measurement.AtMost($"list 100 of {Many:N0} VMs, page by page, p99", pages.Percentile(0.99).TotalMilliseconds, 25, "ms"),
                Measurement.Plain($"create at {Few:N0} VMs, {Callers} callers", costAtFew, "ms each", 2),
                Measurement.Plain($"create at {Many:N0} VMs, {Callers} callers", costAtMany, "ms each", 2),
                Measurement.AtMost("ratio", costAtMany / costAtFew, 1.3, "", 2),
            ];
        }
    }

    /// <summary>Time per VM with all callers busy; the best of some rounds, because noise only ever adds.</summary>
    private static async Task<double> CostOfCreateAsync(HttpClient http, string name, CancellationToken ct)
    {
        var best = double.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            var load = await Load.RunAsync(Callers, CreatesPerRound, (n, token) => Fleet.CreateVmAsync(http, $"{name}-{round}-{n}-x", start: true, token), ct);
            best = Math.Min(best, load.Elapsed.TotalMilliseconds / load.Count);
        }

        return best;
    }

    /// <summary>Stopped VMs without a host, with their operations: as many rows as a fleet of that size has, none of them on a hypervisor.</summary>
    private static async Task SeedAsync(Database database, CancellationToken ct)
    {
        await database.CloneRowAsync("virtual_machines", "t.name = 'template'", Many, new Dictionary<string, string>
        {
            ["id"] = "gen_random_uuid()",
            ["name"] = "'seeded-' || n",
            ["host_id"] = "NULL",
        }, ct);
        await database.CloneRowAsync("operations", "t.id = (SELECT id FROM operations ORDER BY id DESC LIMIT 1)", Many, new Dictionary<string, string>
        {
            ["id"] = "gen_random_uuid()",
            ["target_id"] = "gen_random_uuid()",
        }, ct);
    }

    private static async Task<Load> WalkAsync(HttpClient http, CancellationToken ct)
    {
        string? token = null;
        return await Load.RunAsync(1, PagesWalked, async (_, cancel) =>
        {
            var page = await ListAsync(http, token is null ? "vms?limit=100" : $"vms?limit=100&pageToken={Uri.EscapeDataString(token)}", cancel);
            token = page.GetProperty("nextPageToken").GetString();
        }, ct);
    }

    private static async Task<JsonElement> ListAsync(HttpClient http, string path, CancellationToken ct)
    {
        var page = await http.GetFromJsonAsync<JsonElement>(path, ct);
        return page.GetProperty("items").GetArrayLength() == 100 ? page : throw new InvalidOperationException($"{path}: not 100 VMs");
    }
}

using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace ControlPlane.Benchmarks.Running;

/// <summary>Calls of the API that the benchmarks are made of.</summary>
internal static class Fleet
{
    /// <summary>The largest machine that ships: 256 CPUs, 1 TiB.</summary>
    private const string Profile = "gpu-node";

    private static readonly byte[] Succeeded = "\"state\":\"succeeded\""u8.ToArray();

    /// <summary>Registers hosts with room for far more VMs than any benchmark makes, and waits until they are up.</summary>
    public static async Task RegisterAsync(HttpClient http, int hosts, CancellationToken ct)
    {
        for (var n = 1; n <= hosts; n++)
        {
            var name = $"bench-{n}";
            await PostAsync(http, "hosts?wait=60", new { name, backend = new { kind = "emulated", profile = Profile } }, ct);
            using var patch = await http.PatchAsync($"hosts/{name}", JsonContent.Create(new { cpuRatio = 64.0, memoryRatio = 4.0 }), ct);
            await EnsureAsync(patch, ct);
        }

        while (true)
        {
            var states = (await http.GetFromJsonAsync<JsonElement>("hosts?limit=1000", ct)).GetProperty("items").EnumerateArray()
                .Select(host => host.GetProperty("state").GetString());
            if (states.All(state => state == "up"))
                return;
        }
    }

    /// <summary>Creates a VM and holds until it runs (or rests stopped); throws when it does not come to that.</summary>
    public static async Task CreateVmAsync(HttpClient http, string name, bool start, CancellationToken ct)
    {
        using var body = new StringContent(
            $$"""{"name":"{{name}}","vcpus":1,"memoryMiB":64,"image":"tiny","start":{{(start ? "true" : "false")}}}""", Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync("vms?wait=60", body, ct);
        var operation = await answer.Content.ReadAsByteArrayAsync(ct);
        if (!answer.IsSuccessStatusCode || operation.AsSpan().IndexOf(Succeeded) < 0)
            throw new InvalidOperationException($"{name}: {(int)answer.StatusCode} {Encoding.UTF8.GetString(operation)}");
    }

    /// <summary>That what was counted is what was promised: a VM of the run is really running.</summary>
    public static async Task EnsureRunningAsync(HttpClient http, string name, CancellationToken ct)
    {
        var state = (await http.GetFromJsonAsync<JsonElement>($"vms/{name}", ct)).GetProperty("state").GetString();
        if (state != "running")
            throw new InvalidOperationException($"{name} was counted as running and is {state}.");
    }

    private static async Task PostAsync(HttpClient http, string path, object body, CancellationToken ct)
    {
        using var answer = await http.PostAsJsonAsync(path, body, ct);
        await EnsureAsync(answer, ct);
    }

    private static async Task EnsureAsync(HttpResponseMessage answer, CancellationToken ct)
    {
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException($"{answer.RequestMessage?.RequestUri}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(ct)}");
    }
}

using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using ControlPlane.Benchmarks.Running;
using ControlPlane.Lab.Hosts;
using ControlPlane.Testing;
using ControlPlane.Testing.Libvirt;
using ControlPlane.Testing.Servers;

namespace ControlPlane.Benchmarks;

/// <summary>
/// What the control plane adds to the work of libvirt and QEMU, against the same steps done by <c>virsh</c> in a script: the life of a VM
/// from definition to deletion, and a live migration. Real guests on the lab's two hosts; the rounds alternate. Needs root.
/// </summary>
internal static class LibvirtBenchmark
{
    private const int Lives = 8;
    private const int Moves = 6;

    public static async Task<IReadOnlyList<Measurement>> RunAsync(CancellationToken ct)
    {
        using var directory = TestDirectory.Create("bench");
        await using var rig = new TwoHostsRig();
        await rig.InitializeAsync();
        await using var server = await RunningServer.StartAsync(Path.Combine(directory.Path, "data"), demo: false, fastEmulation: true, ct);
        var (first, second) = (rig.Rig.First, rig.Rig.Second);
        await RegisterAsync(server.Http, first, ct);
        await CreateAsync(server.Http, "model", ct);
        var model = (await server.Http.GetFromJsonAsync<JsonElement>("vms/model", ct)).GetProperty("id").GetString()!;
        var script = await VirshScript.LikeAsync(first, model, "scripted", directory.Path, ct);

        var lives = await AlternateAsync(
            Lives, _ => LiveAsync(server.Http, "lived", ct), async _ => { await script.CreateAsync(first, ct); await script.DeleteAsync(first, ct); });

        await RegisterAsync(server.Http, second, ct);
        await script.CreateAsync(first, ct);
        var moves = await AlternateAsync(
            Moves, _ => PostAsync(server.Http, "vms/model/migrate?wait=60", new { }, ct),
            round => round % 2 == 0 ? script.MoveAsync(first, second, ct) : script.MoveAsync(second, first, ct));
        return [.. Compare("create, start, stop, delete", lives, 1.10), .. Compare("live migration", moves, 1.05)];
    }

    /// <summary>Each by turns, so that what else the machine does falls on both. The first round is thrown away: all caches are cold.</summary>
    private static async Task<(List<TimeSpan> Ours, List<TimeSpan> Scripted)> AlternateAsync(int rounds, Func<int, Task> ours, Func<int, Task> scripted)
    {
        var times = (Ours: new List<TimeSpan>(), Scripted: new List<TimeSpan>());
        for (var round = 0; round <= rounds; round++)
        {
            var (one, other) = (await TimeAsync(() => ours(round)), await TimeAsync(() => scripted(round)));
            if (round == 0)
                continue;
            times.Ours.Add(one);
            times.Scripted.Add(other);
        }
        return times;
    }

    private static IEnumerable<Measurement> Compare(string what, (List<TimeSpan> Ours, List<TimeSpan> Scripted) times, double most)
    {
        var (through, by) = (Load.Median(times.Ours.Select(t => t.TotalMilliseconds)), Load.Median(times.Scripted.Select(t => t.TotalMilliseconds)));
        yield return Measurement.Plain($"{what}, through the API", through, "ms", 0);
        yield return Measurement.Plain($"{what}, virsh in a script", by, "ms", 0);
        yield return Measurement.AtMost("ratio", through / by, most, "", 2);
    }

    private static async Task LiveAsync(HttpClient http, string name, CancellationToken ct)
    {
        await CreateAsync(http, name, ct);
        await PostAsync(http, $"vms/{name}/stop?wait=60", new { force = true }, ct);
        using var gone = await http.DeleteAsync(new Uri($"vms/{name}?wait=60", UriKind.Relative), ct);
        await SucceededAsync(gone, ct);
    }

    private static Task RegisterAsync(HttpClient http, LabHost host, CancellationToken ct) => PostAsync(http, "hosts?wait=60", new
    {
        name = host.Name,
        backend = new { kind = "libvirt", uri = host.TcpUri },
        // Hosts know each other by name, this machine knows them by address. TCG, because the script side has no other either.
        labels = new Dictionary<string, string> { ["libvirt-peer-uri"] = host.PeerTcpUri, ["libvirt-domain-type"] = "qemu" },
    }, ct);

    private static Task CreateAsync(HttpClient http, string name, CancellationToken ct) =>
        PostAsync(http, "vms?wait=60", new { name, vcpus = 1, memoryMiB = 192, image = "tiny" }, ct);

    private static async Task<TimeSpan> TimeAsync(Func<Task> work)
    {
        var began = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(began);
    }

    private static async Task PostAsync(HttpClient http, string path, object body, CancellationToken ct)
    {
        using var answer = await http.PostAsJsonAsync(path, body, ct);
        await SucceededAsync(answer, ct);
    }

    private static async Task SucceededAsync(HttpResponseMessage answer, CancellationToken ct)
    {
        var text = await answer.Content.ReadAsStringAsync(ct);
        if (!answer.IsSuccessStatusCode || !text.Contains("\"state\":\"succeeded\"", StringComparison.Ordinal))
            throw new InvalidOperationException($"{answer.RequestMessage?.RequestUri}: {(int)answer.StatusCode} {text}");
    }
}

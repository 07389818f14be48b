using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using ControlPlane.Testing;
using ControlPlane.Testing.Servers;

namespace ControlPlane.Server.Tests;

/// <summary>The server's program as its operators know it: started, asked to stop, killed, started twice.</summary>
public sealed class ServerLifeTests : IDisposable
{
    private static readonly TimeSpan StopPromise = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TestDirectory directory = TestDirectory.Create("server");

    private string Data => Path.Combine(directory.Path, "data");

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task It_ends_within_ten_seconds_of_being_asked_and_takes_its_PostgreSQL_along()
    {
        await using var server = await RunningServer.StartAsync(Data, demo: true);
        var postmaster = Postmaster();
        var began = Stopwatch.GetTimestamp();

        var code = await server.StopAsync();

        Assert.Equal(0, code);
        Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.Zero, StopPromise);
        Assert.False(IsAlive(postmaster));
    }

    [Fact]
    public async Task What_was_answered_survives_a_kill_and_what_was_begun_comes_to_rest()
    {
        var answered = new List<string>();
        await using (var server = await RunningServer.StartAsync(Data, demo: true))
        {
            // The demo's hosts are up once the operations that connect them rest; before, no VM has a place.
            await ComeToRestAsync(server.Http);
            // Killed while it works: after some answers, before others.
            var enough = new TaskCompletionSource();
            var callers = Enumerable.Range(0, 4).Select(caller => CreateUntilKilledAsync(server.Http, $"c{caller}", answered, enough)).ToList();
            await enough.Task.WaitAsync(Patience);
            await server.KillAsync();
            await Task.WhenAll(callers);
        }

        await using var next = await RunningServer.StartAsync(Data, demo: true);

        foreach (var name in answered)
            Assert.Equal(HttpStatusCode.OK, (await next.Http.GetAsync($"vms/{name}")).StatusCode);
        await ComeToRestAsync(next.Http);
        var states = (await ItemsAsync(next.Http, "vms?limit=1000")).Select(vm => vm.GetProperty("state").GetString()).Distinct();
        Assert.Equal(["running"], states);
    }

    [Fact]
    public async Task A_killed_server_does_not_leave_its_PostgreSQL_running()
    {
        await using var server = await RunningServer.StartAsync(Data, demo: false);
        var postmaster = Postmaster();

        await server.KillAsync();

        Assert.True(SpinWait.SpinUntil(() => !IsAlive(postmaster), Patience));
    }

    [Fact]
    public async Task A_second_server_on_the_same_data_says_so_and_leaves_the_first_alone()
    {
        await using var first = await RunningServer.StartAsync(Data, demo: false);

        var second = ServerProgram.Start(Data, ["--urls", "http://127.0.0.1:0"]);
        await second.Process.WaitForExitAsync().WaitAsync(Patience);

        Assert.NotEqual(0, second.Process.ExitCode);
        Assert.Contains($"process {first.ProcessId}", second.Output, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await first.Http.GetAsync("hosts")).StatusCode);
    }

    [Fact]
    public async Task An_address_in_use_is_named_and_no_stack_is_shown()
    {
        using var holder = new TcpListener(IPAddress.Loopback, 0);
        holder.Start();
        var url = $"http://127.0.0.1:{((IPEndPoint)holder.LocalEndpoint).Port}";

        var server = ServerProgram.Start(Data, ["--urls", url]);
        await server.Process.WaitForExitAsync().WaitAsync(Patience);

        Assert.NotEqual(0, server.Process.ExitCode);
        Assert.Contains(url, server.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", server.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_admin_token_is_shown_on_the_first_start_alone_and_kept_for_its_owner()
    {
        string token;
        await using (var first = await RunningServer.StartAsync(Data, demo: false))
        {
            token = (await File.ReadAllTextAsync(Path.Combine(Data, "admin-token"))).Trim();
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Data, "admin-token")));
            Assert.Contains(token, first.Output, StringComparison.Ordinal);
        }

        await using var second = await RunningServer.StartAsync(Data, demo: false);

        Assert.DoesNotContain(token, second.Output, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await second.Http.GetAsync("hosts")).StatusCode);
    }

    [Fact]
    public async Task The_OpenAPI_page_is_there_for_a_browser_where_the_installation_opens_it()
    {
        await using var server = await RunningServer.StartAsync(Data, demo: false);
        using var browser = new HttpClient();
        browser.DefaultRequestHeaders.Accept.ParseAdd("text/html,application/xhtml+xml,*/*;q=0.8");

        var page = await browser.GetAsync(new Uri(server.Url, "/openapi"));
        var document = await browser.GetAsync(new Uri(server.Url, "/openapi/controlplane-v1.json"));

        Assert.Equal("text/html", page.Content.Headers.ContentType?.MediaType);
        Assert.Equal(HttpStatusCode.OK, document.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync(new Uri(server.Url, "/metrics"))).StatusCode);
    }

    [Fact]
    public async Task The_demo_fleet_is_registered_once()
    {
        int hosts;
        await using (var first = await RunningServer.StartAsync(Data, demo: true))
            hosts = (await ItemsAsync(first.Http, "hosts")).Count;

        await using var second = await RunningServer.StartAsync(Data, demo: true);

        Assert.InRange(hosts, 4, int.MaxValue);
        Assert.Equal(hosts, (await ItemsAsync(second.Http, "hosts")).Count);
    }

    /// <summary>One JSON object per event, so that a log collector needs no rules.</summary>
    [Fact]
    public async Task With_log_json_every_line_is_an_object()
    {
        var server = ServerProgram.Start(Data, ["--urls", "http://127.0.0.1:0", "--log", "json"]);
        Assert.True(SpinWait.SpinUntil(() => server.Output.Contains("admin-token", StringComparison.Ordinal) || server.Process.HasExited, Patience));
        using (var kill = Process.Start("kill", ["-TERM", $"{server.Process.Id}"]))
            await kill.WaitForExitAsync();
        await server.Process.WaitForExitAsync().WaitAsync(Patience);

        Assert.NotEmpty(server.StandardOutput);
        Assert.All(server.StandardOutput, line => Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(line).RootElement.ValueKind));
    }

    private static async Task CreateUntilKilledAsync(HttpClient http, string prefix, List<string> answered, TaskCompletionSource enough)
    {
        const int Enough = 12;
        for (var n = 0; n < 200; n++)
        {
            try
            {
                var name = $"{prefix}-{n}";
                using var answer = await http.PostAsJsonAsync("vms", new { name, vcpus = 1, memoryMiB = 64 });
                if (!answer.IsSuccessStatusCode)
                    return; // The fleet is full.
                lock (answered)
                {
                    answered.Add(name);
                    if (answered.Count >= Enough)
                        enough.TrySetResult();
                }
            }
            catch (HttpRequestException)
            {
                return; // Killed; this one was not answered.
            }
        }
    }

    private static async Task ComeToRestAsync(HttpClient http)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var open = (await ItemsAsync(http, "operations?limit=1000")).Where(operation => operation.GetProperty("state").GetString() is "pending" or "running").ToList();
            if (open.Count == 0)
                return;
            Assert.True(Stopwatch.GetElapsedTime(began) < Patience, $"still open: {open[0]}");
        }
    }

    private static async Task<IReadOnlyList<JsonElement>> ItemsAsync(HttpClient http, string path) =>
        [.. (await http.GetFromJsonAsync<JsonElement>(path)).GetProperty("items").EnumerateArray()];

    private string Postmaster() => File.ReadLines(Path.Combine(Data, "postgres", "data", "postmaster.pid")).First();

    private static bool IsAlive(string process) => Directory.Exists($"/proc/{process}");
}

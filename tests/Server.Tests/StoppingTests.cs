using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using ControlPlane.Testing;
using ControlPlane.Testing.Servers;

namespace ControlPlane.Server.Tests;

/// <summary>SIGTERM while everything that can be under way is: an operation, a caller that waits for it, a stream, a request that never ends.</summary>
public sealed class StoppingTests : IDisposable
{
    private static readonly TimeSpan StopPromise = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TestDirectory directory = TestDirectory.Create("server");

    private string Data => Path.Combine(directory.Path, "data");

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Work_under_way_is_laid_down_in_order_and_the_next_start_goes_on_with_it()
    {
        string operation;
        await using (var server = await RunningServer.StartAsync(Data, demo: true))
        {
            operation = await BeginAsync(server.Http);
            var waiting = server.Http.GetAsync($"operations/{operation}?wait=60");
            using var subscription = new HttpRequestMessage(HttpMethod.Get, "events") { Headers = { Accept = { new("text/event-stream") } } };
            using var stream = await server.Http.SendAsync(subscription, HttpCompletionOption.ResponseHeadersRead);
            var listening = stream.Content.CopyToAsync(Stream.Null);
            using var endless = await SendHalfARequestAsync(server);
            var began = Stopwatch.GetTimestamp();

            var code = await server.StopAsync();

            Assert.Equal(0, code);
            Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.Zero, StopPromise);
            // Who waited has been told how far it is, and no answer was cut off.
            using var answer = await waiting;
            Assert.Equal("running", (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("state").GetString());
            await listening;
            Assert.Equal(ShutDown, PostgresState());
        }

        await using var next = await RunningServer.StartAsync(Data, demo: true);

        using var ended = await next.Http.GetAsync($"operations/{operation}?wait=60");
        var end = await ended.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(end.GetProperty("state").GetString() == "succeeded", end.ToString());
        Assert.Equal("stopped", (await next.Http.GetFromJsonAsync<JsonElement>("vms/web")).GetProperty("state").GetString());
    }

    /// <summary>A guest that takes its time to shut down keeps the operation under way until long after the server's stop.</summary>
    private static async Task<string> BeginAsync(HttpClient http)
    {
        var created = await PostAsync(http, "vms?wait=60", new
        {
            name = "web",
            vcpus = 1,
            memoryMiB = 64,
            labels = new Dictionary<string, string> { ["emulator.shutdown"] = "slow:15s" },
        });
        Assert.Equal("succeeded", created.GetProperty("state").GetString());
        var operation = (await PostAsync(http, "vms/web/stop", new { })).GetProperty("id").GetString()!;
        var began = Stopwatch.GetTimestamp();
        while (!IsInAStep(await http.GetFromJsonAsync<JsonElement>($"operations/{operation}")))
            Assert.True(Stopwatch.GetElapsedTime(began) < Patience, "no step of the operation begins");
        return operation;
    }

    private static bool IsInAStep(JsonElement operation) =>
        operation.GetProperty("steps").EnumerateArray().Any(step => step.GetProperty("state").GetString() == "running");

    private static async Task<JsonElement> PostAsync(HttpClient http, string path, object body)
    {
        using var answer = await http.PostAsJsonAsync(path, body);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    /// <summary>Headers that promise a body, and a part of it.</summary>
    private static async Task<Socket> SendHalfARequestAsync(RunningServer server)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, server.Url.Port);
        await socket.SendAsync(Encoding.ASCII.GetBytes(
            $"POST /api/v1/vms HTTP/1.1\r\nHost: {server.Url.Authority}\r\nAuthorization: {server.Http.DefaultRequestHeaders.Authorization}\r\n"
            + "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"));
        return socket;
    }

    /// <summary>DB_SHUTDOWNED of PostgreSQL's src/include/catalog/pg_control.h: ended in order, nothing to recover.</summary>
    private const int ShutDown = 1;

    /// <summary>The state in its control file, behind the system identifier and two versions.</summary>
    private int PostgresState() =>
        BitConverter.ToInt32(File.ReadAllBytes(Path.Combine(Data, "postgres", "data", "global", "pg_control")), 16);
}

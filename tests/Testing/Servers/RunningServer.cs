using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace ControlPlane.Testing.Servers;

/// <summary>A server as users start it: its own program in a process of its own, with a private PostgreSQL that flushes.</summary>
public sealed class RunningServer : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    private readonly ServerProgram program;

    private RunningServer(ServerProgram program, string token, Uri url, TimeSpan readyAfter)
    {
        (this.program, Url, ReadyAfter) = (program, url, readyAfter);
        Http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 64 })
        {
            BaseAddress = new Uri(url, "/api/v1/"),
            Timeout = TimeSpan.FromSeconds(90),
        };
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <summary>As the administrator, below <c>/api/v1/</c>.</summary>
    public HttpClient Http { get; }

    public Uri Url { get; }

    public string Data => program.Data;

    public int ProcessId => program.Process.Id;

    /// <summary>From the start of the process to the first 200 of its readiness.</summary>
    public TimeSpan ReadyAfter { get; }

    /// <summary>What the kernel counts as this process's resident memory; PostgreSQL is another process.</summary>
    public double ResidentMiB
    {
        get
        {
            var line = File.ReadLines($"/proc/{ProcessId}/status").Single(text => text.StartsWith("VmRSS:", StringComparison.Ordinal));
            return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) / 1024;
        }
    }

    /// <summary>Everything it wrote so far.</summary>
    public string Output => program.Output;

    /// <summary>Answers once it is ready; throws with what it wrote when it ends instead.</summary>
    /// <param name="fastEmulation">Nothing on an emulated host takes time: to measure what is not the emulation.</param>
    public static Task<RunningServer> StartAsync(string data, bool demo, bool fastEmulation = false, CancellationToken ct = default) =>
        StartAsync(data, demo, fastEmulation, database: null, ct);

    /// <summary>On an external PostgreSQL, without a fleet.</summary>
    public static Task<RunningServer> StartOnAsync(string connectionString, string data, CancellationToken ct = default) =>
        StartAsync(data, demo: false, fastEmulation: false, connectionString, ct);

    /// <summary>On a machine where something is otherwise, as its environment says.</summary>
    public static Task<RunningServer> StartInAsync(IReadOnlyDictionary<string, string> environment, string data, CancellationToken ct = default) =>
        StartAsync(data, demo: false, fastEmulation: true, database: null, ct, environment);

    private static async Task<RunningServer> StartAsync(
        string data, bool demo, bool fastEmulation, string? database, CancellationToken ct, IReadOnlyDictionary<string, string>? environment = null)
    {
        var url = new Uri($"http://127.0.0.1:{FreePort()}");
        var began = Stopwatch.GetTimestamp();
        var program = ServerProgram.Start(data, ["--urls", url.ToString(), "--open", "openapi", .. demo ? ["--demo"] : Array.Empty<string>()], fastEmulation, database, environment);
        try
        {
            await BecomeReadyAsync(program, url, began, ct);
            var readyAfter = Stopwatch.GetElapsedTime(began);
            var token = await File.ReadAllTextAsync(Path.Combine(data, "admin-token"), ct);
            return new RunningServer(program, token.Trim(), url, readyAfter);
        }
        catch
        {
            program.Process.Kill();
            throw;
        }
    }

    /// <summary>SIGTERM; answers the exit code.</summary>
    public async Task<int> StopAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", ProcessId.ToString(CultureInfo.InvariantCulture)]))
            await kill.WaitForExitAsync();
        return await WaitForExitAsync();
    }

    /// <summary>SIGKILL: the end without any last word.</summary>
    public async Task KillAsync()
    {
        program.Process.Kill();
        await WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!program.Process.HasExited)
            await StopAsync();
        program.Process.Dispose();
    }

    private async Task<int> WaitForExitAsync()
    {
        using var patience = new CancellationTokenSource(StopTimeout);
        await program.Process.WaitForExitAsync(patience.Token);
        return program.Process.ExitCode;
    }

    private static async Task BecomeReadyAsync(ServerProgram program, Uri url, long began, CancellationToken ct)
    {
        using var http = new HttpClient();
        while (!await IsReadyAsync(http, new Uri(url, "/healthz/ready"), ct))
        {
            if (program.Process.HasExited)
                throw new InvalidOperationException($"The server ended with exit code {program.Process.ExitCode}:\n{program.Output}");
            if (Stopwatch.GetElapsedTime(began) > StartTimeout)
                throw new TimeoutException($"The server did not become ready:\n{program.Output}");
            await Task.Delay(Poll, TimeProvider.System, ct);
        }
    }

    private static async Task<bool> IsReadyAsync(HttpClient http, Uri ready, CancellationToken ct)
    {
        try
        {
            using var answer = await http.GetAsync(ready, ct);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}

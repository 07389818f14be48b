using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using ControlPlane.Testing;

namespace ControlPlane.Benchmarks.Running;

/// <summary>A server as users start it: its own program, built for release, with a private PostgreSQL that flushes.</summary>
internal sealed class ServerUnderTest : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    private readonly Process process;

    private ServerUnderTest(Process process, Uri url, string data, TimeSpan readyAfter)
    {
        (this.process, Data, ReadyAfter) = (process, data, readyAfter);
        Http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 64, PooledConnectionLifetime = Timeout.InfiniteTimeSpan })
        {
            BaseAddress = new Uri(url, "/api/v1/"),
            Timeout = TimeSpan.FromSeconds(90),
        };
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", File.ReadAllText(Path.Combine(data, "admin-token")).Trim());
    }

    public HttpClient Http { get; }

    public string Data { get; }

    /// <summary>From the start of the process to the first 200 of its readiness.</summary>
    public TimeSpan ReadyAfter { get; }

    /// <summary>What the kernel counts as this process's resident memory; PostgreSQL is another process.</summary>
    public double ResidentMiB
    {
        get
        {
            var line = File.ReadLines($"/proc/{process.Id}/status").Single(text => text.StartsWith("VmRSS:", StringComparison.Ordinal));
            return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) / 1024;
        }
    }

    public static async Task<ServerUnderTest> StartAsync(TestDirectory directory, bool demo, CancellationToken ct)
    {
        var port = FreePort();
        var url = new Uri($"http://127.0.0.1:{port}");
        var data = Path.Combine(directory.Path, "data");
        var start = new ProcessStartInfo(Program()) { UseShellExecute = false, RedirectStandardOutput = true };
        foreach (var argument in new[] { "--urls", url.ToString(), "--data", data, "--Logging:LogLevel:Default=Warning" }.Concat(demo ? ["--demo"] : []))
            start.ArgumentList.Add(argument);
        var began = Stopwatch.GetTimestamp();
        var process = Process.Start(start) ?? throw new InvalidOperationException("The server was not started.");
        _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        using var http = new HttpClient();
        while (!await IsReadyAsync(http, new Uri(url, "/healthz/ready"), ct))
        {
            if (process.HasExited)
                throw new InvalidOperationException($"The server ended with exit code {process.ExitCode}.");
            if (Stopwatch.GetElapsedTime(began) > StartTimeout)
                throw new TimeoutException("The server did not become ready.");
            await Task.Delay(Poll, TimeProvider.System, ct);
        }

        return new ServerUnderTest(process, url, data, Stopwatch.GetElapsedTime(began));
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        using (var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]))
            await kill.WaitForExitAsync();
        using var patience = new CancellationTokenSource(StopTimeout);
        await process.WaitForExitAsync(patience.Token);
        process.Dispose();
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

    /// <summary>In the artifacts layout it lies beside this program's own directory.</summary>
    private static string Program()
    {
        var program = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "ControlPlane.Server", "release", "ControlPlane.Server"));
        return File.Exists(program)
            ? program
            : throw new InvalidOperationException($"{program} is missing; build it with: dotnet build -c Release src/ControlPlane.Server");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}

using System.Net;
using System.Net.Sockets;
using ControlPlane.Dev.Checkout;
using ControlPlane.Dev.Prerequisites;
using ControlPlane.Dev.Processes;
using ControlPlane.Dev.Terminal;

namespace ControlPlane.Dev.Up;

/// <param name="Url">Where the server listens.</param>
/// <param name="Data">The server's data directory; relative to the working directory.</param>
/// <param name="Demo">Whether a fleet of emulated hosts is registered on the first start.</param>
internal sealed record UpOptions(Uri Url, string Data, bool Demo);

/// <summary>From a fresh checkout to a running server with a demo fleet.</summary>
internal sealed class UpCommand(Screen screen, Repository repository)
{
    /// <summary>The server ends within 10 s of being asked.</summary>
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(12);

    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan ReadyPoll = TimeSpan.FromMilliseconds(150);

    public async Task<int> RunAsync(UpOptions options, CancellationToken ct)
    {
        screen.Heading("What the server needs");
        if (!await Apt.EnsureAsync(screen, [Requirement.Postgres, Requirement.Jq, Requirement.Curl], ct))
            return 1;
        screen.Good("all there");
        if (IsTaken(options.Url))
        {
            screen.Bad($"something already listens on {options.Url}. Stop it, or choose another address: up --urls http://127.0.0.1:8081");
            return 1;
        }

        screen.Heading("Building the server");
        if (!await DotnetBuild.RunAsync(screen, repository, repository.SourceProject("ControlPlane.Server"), "Release", ct))
            return 1;

        screen.Heading("Starting the server");
        var data = Path.GetFullPath(options.Data);
        // The OpenAPI page needs no token here: a browser has none to send.
        string[] arguments =
            ["--urls", options.Url.ToString().TrimEnd('/'), "--data", data, "--open", "openapi", .. options.Demo ? ["--demo"] : Array.Empty<string>()];
        var program = repository.Program("ControlPlane.Server", "ControlPlane.Server", "Release");
        var server = ServerProcess.Start(program, arguments, Directory.GetCurrentDirectory());
        try
        {
            if (await IsReadyAsync(server, options.Url, ct))
                ShowWelcome(options.Url, data);
            var code = await server.Exited.WaitAsync(ct);
            if (code != 0)
                screen.Bad($"the server ended with exit code {code}");
            return code;
        }
        catch (OperationCanceledException)
        {
            screen.Heading("Stopping the server");
            var code = await server.StopAsync(StopGrace);
            screen.Good($"stopped; its data stays in {options.Data}");
            return code;
        }
    }

    private async Task<bool> IsReadyAsync(ServerProcess server, Uri url, CancellationToken ct)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        var began = TimeProvider.System.GetTimestamp();
        while (!server.Exited.IsCompleted && TimeProvider.System.GetElapsedTime(began) < ReadyTimeout)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri(url, "/healthz/ready"), ct);
                if (answer.IsSuccessStatusCode)
                    return true;
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await Task.WhenAny(server.Exited, Task.Delay(ReadyPoll, TimeProvider.System, ct));
            ct.ThrowIfCancellationRequested();
        }

        if (!server.Exited.IsCompleted)
            screen.Warn($"the server is not ready after {ReadyTimeout.TotalSeconds:0} s; {new Uri(url, "/healthz/ready")} says why");
        return false;
    }

    private void ShowWelcome(Uri url, string data)
    {
        var tokenFile = Path.Combine(data, "admin-token");
        screen.Plain("");
        screen.Good("ControlPlane is ready.");
        screen.Plain($"    API           {new Uri(url, "/api/v1")}");
        screen.Plain($"    OpenAPI page  {new Uri(url, "/openapi")}");
        screen.Plain($"    admin token   {tokenFile}{(File.Exists(tokenFile) ? $": {File.ReadAllText(tokenFile).Trim()}" : "")}");
        screen.Plain("    next          the tour in README.md, in a second terminal; Ctrl-C here stops the server");
        screen.Plain("");
    }

    private static bool IsTaken(Uri url)
    {
        if (!IPAddress.TryParse(url.Host == "localhost" ? "127.0.0.1" : url.Host, out var address))
            return false;
        using var listener = new TcpListener(address, url.Port);
        try
        {
            listener.Start();
            return false;
        }
        catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return true;
        }
        catch (SocketException)
        {
            return false; // The server will say what is wrong with the address.
        }
    }
}

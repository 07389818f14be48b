using System.Net.Http.Headers;
using ControlPlane.Server;
using ControlPlane.Server.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace ControlPlane.Benchmarks.Memory;

/// <summary>The whole server with its private PostgreSQL, in this process: so that its heap can be collected and its handles counted before they are read.</summary>
internal sealed class InProcessServer : IAsyncDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    private readonly WebApplication app;

    private InProcessServer(WebApplication app, HttpClient http) => (this.app, Http) = (app, http);

    /// <summary>As the administrator, below <c>/api/v1/</c>.</summary>
    public HttpClient Http { get; }

    public static async Task<InProcessServer> StartAsync(string data, CancellationToken ct)
    {
        var app = ServerComposition.Build(new ServerOptions { Urls = "http://127.0.0.1:0", DataDirectory = data, FastEmulation = true });
        await app.StartAsync(ct);
        var address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        var http = new HttpClient { BaseAddress = new Uri(address, "/api/v1/"), Timeout = TimeSpan.FromSeconds(90) };
        using var again = new PeriodicTimer(Poll);
        while (!(await http.GetAsync(new Uri(address, "/healthz/ready"), ct)).IsSuccessStatusCode)
            await again.WaitForNextTickAsync(ct);
        var token = await File.ReadAllTextAsync(Path.Combine(data, "admin-token"), ct);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.Trim());
        return new InProcessServer(app, http);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
    }
}

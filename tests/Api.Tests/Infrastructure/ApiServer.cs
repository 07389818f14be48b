using System.Net.Http.Headers;
using ControlPlane.Api.Tests.Infrastructure;
using ControlPlane.Server;
using ControlPlane.Server.Configuration;
using ControlPlane.Testing;
using ControlPlane.Testing.Postgres;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

[assembly: AssemblyFixture(typeof(ApiServer))]

namespace ControlPlane.Api.Tests.Infrastructure;

/// <summary>The whole server on a loopback port, with a database of its own and emulated hosts on which nothing takes time. Tests share it and take names of their own.</summary>
public sealed class ApiServer : IAsyncLifetime
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);
    /// <summary>The server's own, so that it outlives the server.</summary>
    private readonly MigratedPostgres postgres = new();

    private readonly TestDirectory data = TestDirectory.Create("api");
    private TestDatabase? database;
    private WebApplication? app;
    private int names;

    public Uri Address { get; private set; } = null!;

    public IServiceProvider Services => app!.Services;

    public string ConnectionString => database!.ConnectionString;

    /// <summary>As the administrator.</summary>
    public ApiClient Admin { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        await postgres.InitializeAsync();
        database = await postgres.CreateDatabaseAsync();
        app = ServerComposition.Build(new ServerOptions
        {
            Urls = "http://127.0.0.1:0",
            DataDirectory = data.Path,
            ConnectionString = database.ConnectionString,
            FastEmulation = true,
        });
        await app.StartAsync();
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        using var http = new HttpClient { BaseAddress = Address };
        using var again = new PeriodicTimer(Poll);
        while (!(await http.GetAsync("/healthz/ready")).IsSuccessStatusCode)
            await again.WaitForNextTickAsync();
        Admin = Client((await File.ReadAllTextAsync(Path.Combine(data.Path, "admin-token"))).Trim());
    }

    /// <summary>A name that no other test has.</summary>
    public string Name(string prefix) => $"{prefix}-{Interlocked.Increment(ref names)}";

    /// <param name="secret">Null: without a token.</param>
    public ApiClient Client(string? secret)
    {
        var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 64 }) { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(90) };
        if (secret is not null)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        return new ApiClient(http);
    }

    /// <summary>A caller of a role; members and viewers are of the given project, else of the default one.</summary>
    public async Task<ApiClient> CallerAsync(string role, string? project = null)
    {
        var ofProject = role is "member" or "viewer" ? $",\"project\":\"{project ?? "default"}\"" : "";
        var made = await Admin.PostAsync("/api/v1/tokens", $$"""{"name":"{{Name("caller")}}","role":"{{role}}"{{ofProject}}}""");
        return Client(made.Expect(201).Text("secret"));
    }

    /// <summary>A host of its own, up, with the virtual functions of a dual 82576.</summary>
    public async Task<string> HostAsync(string profile = "dual-82576")
    {
        var name = Name("hv");
        var registered = await Admin.PostAsync(
            "/api/v1/hosts?wait=60", $$"""{"name":"{{name}}","backend":{"kind":"emulated","profile":"{{profile}}"} }""");
        Assert.Equal("succeeded", registered.Expect(202).Text("state"));
        return name;
    }

    public async ValueTask DisposeAsync()
    {
        if (app is not null)
        {
            await app.StopAsync();
            await app.DisposeAsync();
        }
        if (database is not null)
            await database.DisposeAsync();
        await postgres.DisposeAsync();
        data.Dispose();
    }
}

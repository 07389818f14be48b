using ControlPlane.Api;
using ControlPlane.Domain;
using ControlPlane.Orchestration;
using ControlPlane.Orchestration.Reconcilers;
using ControlPlane.Orchestration.Registration;
using ControlPlane.Persistence;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;
using ControlPlane.Server.Configuration;
using ControlPlane.Server.Database;
using ControlPlane.Server.Hosting;
using ControlPlane.Server.Hypervisors;
using ControlPlane.Server.Metrics;
using ControlPlane.Server.Startup;

namespace ControlPlane.Server;

/// <summary>The server, put together: the only place that sees every part.</summary>
public static class ServerComposition
{
    /// <summary>A request body above this is cut off by the web server itself; what is smaller is refused in words.</summary>
    private const long BodyMaxBytes = 64 * 1024 * 1024;

    /// <summary>
    /// How long requests that are being answered are waited for before their connections are cut. SIGTERM ends the server within ten
    /// seconds; ticks, sagas and the private PostgreSQL have the rest (<see cref="StartupSequence"/>, <see cref="DatabaseLocation"/>).
    /// </summary>
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(2);

    public static WebApplication Build(ServerOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.UseUrls(options.Urls);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = BodyMaxBytes;
        });
        builder.Logging.AddControlPlaneLogging(options.Log);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = DrainTimeout);
        builder.Services
            .AddSingleton(options)
            .AddSingleton(TimeProvider.System)
            .AddSingleton<IIdSource, Uuid7Source>()
            .AddPersistence(provider => new PersistenceOptions(provider.GetRequiredService<DatabaseLocation>().ConnectionString)
            {
                Writer = WriterOptions.Default with { NotifyOthers = options.ConnectionString is not null },
            })
            .AddOrchestration()
            .AddRecordedNouns()
            .AddSingleton(provider => new SagaRunnerOptions
            {
                Owner = provider.GetRequiredService<ServerIdentity>().Id.ToString(),
                IsSoleServer = options.ConnectionString is null,
            })
            .AddHypervisors(options)
            .AddControlPlaneApi()
            .AddMetricsEndpoint()
            .AddStartup();

        var app = builder.Build();
        app.UseControlPlaneApi(inner => inner.UseMiddleware<ReadinessGate>());
        app.MapMetrics(options);
        app.MapControlPlaneApi(openApiIsOpen: options.OpenApiOpen);
        // Now, and not at the start: the OpenAPI document is written from endpoints that are never started.
        app.UseEndpoints(_ => { });
        return app;
    }
}

using ControlPlane.Api.Events;
using ControlPlane.Domain;
using ControlPlane.Orchestration;
using ControlPlane.Orchestration.Reconcilers;
using ControlPlane.Persistence.Migrating;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;
using ControlPlane.Server.Configuration;
using ControlPlane.Server.Database;
using ControlPlane.Server.Demo;
using ControlPlane.Server.Ticks;
using Npgsql;

namespace ControlPlane.Server.Startup;

/// <summary>
/// Brings the server up step by step while it listens already, and down in the opposite order. Each step's name is what
/// <c>/healthz/ready</c> says meanwhile.
/// </summary>
internal sealed partial class StartupSequence(
    IServiceProvider services, ServerOptions options, DatabaseLocation database, Readiness readiness, IHostApplicationLifetime lifetime,
    TimeProvider clock, ILogger<StartupSequence> log)
    : BackgroundService
{
    private static readonly TimeSpan SagaGrace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DatabaseRetry = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource listening = new();
    private Task listener = Task.CompletedTask;
    private bool sagasRun;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            var started = await StartAllAsync(stoppingToken);
            if (started.Fault is { } fault)
                Fail(fault.Detail, null);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Told to stop while starting.
        }
        catch (Exception e)
        {
            Fail(e.Message, e);
        }
    }

    /// <summary>Called when the web server has let its connections go; from then on nobody asks for anything.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        readiness.Stopping();
        await base.StopAsync(cancellationToken);
        if (!sagasRun)
            return;
        await services.GetRequiredService<TickSchedule>().StopAsync();
        await services.GetRequiredService<SagaRunner>().StopAsync(SagaGrace);
        await listening.CancelAsync();
        await listener;
    }

    public override void Dispose()
    {
        listening.Dispose();
        base.Dispose();
    }

    private async Task<Outcome<Done>> StartAllAsync(CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        // At once: until its last connection is gone the web server still takes requests.
        lifetime.ApplicationStopping.Register(readiness.Stopping);
        readiness.Starting(database.IsExternal ? "Connecting to the database." : "Starting the private PostgreSQL.");
        if ((await database.StartAsync(ct)).Fault is { } noDatabase)
            return noDatabase;
        readiness.Starting("Bringing the database to this version's schema.");
        if ((await MigrateAsync(ct)).Fault is { } notMigrated)
            return notMigrated;

        readiness.Starting("Reading the fleet.");
        await services.GetRequiredService<FleetLoader>().LoadAsync(ct);
        if ((await FirstRecords.EnsureAsync(services, ct)).Fault is { } noRecords)
            return noRecords;
        readiness.Starting("Taking up what was under way.");
        ListenToCommits();
        var runner = services.GetRequiredService<SagaRunner>();
        services.GetRequiredService<FleetMetrics>().Watch(runner);
        await runner.StartAsync(ct);
        sagasRun = true;
        await services.GetRequiredService<TickSchedule>().StartAsync(ct);
        if (options.Demo)
            await DemoFleet.RegisterOnceAsync(services, ct);
        if ((await AdminToken.EnsureFirstAsync(services, ct)).Fault is { } noToken)
            return noToken;
        readiness.Serving();
        LogServing(options.Urls, (long)clock.GetElapsedTime(began).TotalMilliseconds);
        return new Done();
    }

    /// <summary>An external database may come up after the server: it is waited for, and the reason can be read meanwhile.</summary>
    private async Task<Outcome<Done>> MigrateAsync(CancellationToken ct)
    {
        while (true)
        {
            try
            {
                var applied = await MigrationRunner.ApplyAsync(database.ConnectionString, ct);
                foreach (var name in applied.Fault is null ? applied.Value : [])
                    LogMigrated(name);
                return applied.Map(_ => new Done());
            }
            catch (NpgsqlException e) when (database.IsExternal && e is not PostgresException { SqlState: "28P01" or "28000" or "3D000" or "42501" })
            {
                readiness.Starting($"The database does not answer: {e.Message}");
                LogNoDatabase(e.Message);
                await Task.Delay(DatabaseRetry, clock, ct);
            }
        }
    }

    private void ListenToCommits()
    {
        var signals = services.GetRequiredService<CommitSignals>();
        var events = services.GetRequiredService<EventSignal>();
        var sagas = services.GetRequiredService<SagaRunner>();
        signals.Committed += signal =>
        {
            if (signal.HasEvents || signal.MayHaveMissed)
                events.Announce();
            foreach (var id in signal.Ids)
            {
                // Of one that another server runs, callers here may wait for the end.
                if (!sagas.Wake(id))
                    _ = NoticeAsync(sagas, id);
            }
        };
        if (database.IsExternal)
            listener = services.GetRequiredService<NotificationListener>().RunAsync(listening.Token);
    }

    private async Task NoticeAsync(SagaRunner sagas, Guid id)
    {
        try
        {
            await sagas.NoticeAsync(id, listening.Token);
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException)
        {
            // The database is away, or the server stops: whoever waits learns of the end at the next tick.
        }
    }

    private void Fail(string reason, Exception? exception)
    {
        readiness.Starting(reason);
        LogFailed(exception, reason);
        Environment.ExitCode = 1;
        lifetime.StopApplication();
    }

    [LoggerMessage(LogLevel.Information, "Serving at {Urls}, {Milliseconds} ms after the start")]
    private partial void LogServing(string urls, long milliseconds);

    [LoggerMessage(LogLevel.Information, "Applied migration {Name}")]
    private partial void LogMigrated(string name);

    [LoggerMessage(LogLevel.Warning, "The database does not answer, trying again: {Reason}")]
    private partial void LogNoDatabase(string reason);

    [LoggerMessage(LogLevel.Critical, "The server cannot start: {Reason}")]
    private partial void LogFailed(Exception? exception, string reason);
}

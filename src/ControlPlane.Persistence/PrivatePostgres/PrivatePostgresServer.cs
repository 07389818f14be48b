using ControlPlane.Domain;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ControlPlane.Persistence.PrivatePostgres;

/// <summary>
/// A PostgreSQL of the server's own: made on the first start, run as a child process on a Unix socket without any TCP port, started
/// again when it dies, stopped with the server.
/// </summary>
/// <remarks>
/// A server that is killed leaves a PostgreSQL behind, which the kernel asks to shut down; the next start on the same data directory
/// waits for it to be gone, or stops it, and goes on. Only one server at a time has the data directory.
/// </remarks>
public sealed partial class PrivatePostgresServer : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestRestartPause = TimeSpan.FromSeconds(30);

    private readonly PrivatePostgresOptions options;
    private readonly PostgresLayout layout;
    private readonly DataDirectoryLock held;
    private readonly IReadOnlyList<string> command;
    private readonly ClusterProcesses processes;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly CancellationTokenSource stopping = new();
    private PostmasterProcess? postmaster;
    private Task supervision = Task.CompletedTask;

    private PrivatePostgresServer(
        PrivatePostgresOptions options, PostgresLayout layout, DataDirectoryLock held, IReadOnlyList<string> command, TimeProvider time, ILogger logger)
    {
        (this.options, this.layout, this.held, this.command, this.time, this.logger) = (options, layout, held, command, time, logger);
        processes = new ClusterProcesses(layout.Data, time);
    }

    /// <summary>For the server's work: a plain role that owns the database.</summary>
    public string ConnectionString => Cluster.ConnectionString(layout, Cluster.Owner, Cluster.Owner);

    /// <summary>For upkeep that the plain role may not do, such as making databases.</summary>
    public string SuperuserConnectionString => Cluster.ConnectionString(layout, Cluster.Superuser, "postgres");

    /// <summary>The directory of the programs it runs from, where <c>psql</c> and <c>pgbench</c> of the same version are.</summary>
    public required string BinDirectory { get; init; }

    /// <summary>Answers once the database takes connections.</summary>
    public static async Task<Outcome<PrivatePostgresServer>> StartAsync(
        PrivatePostgresOptions options, TimeProvider time, ILogger logger, CancellationToken ct)
    {
        var located = await PostgresLayout.ForAsync(options.DataDirectory, ct);
        if (!located.TryGet(out var layout, out var fault))
            return fault;
        var locked = await DataDirectoryLock.TakeAsync(layout, ct);
        if (!locked.TryGet(out var held, out fault))
            return fault;
        try
        {
            var started = await StartLockedAsync(options, layout, held, time, logger, ct);
            if (!started.Succeeded)
                held.Dispose();
            return started;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Stops PostgreSQL in order, harder after the stop timeout, and gives the data directory back.</summary>
    public async ValueTask DisposeAsync()
    {
        if (stopping.IsCancellationRequested)
            return;
        await stopping.CancelAsync();
        await supervision;
        var stopped = await processes.StopAsync(options.StopTimeout, CancellationToken.None);
        if (stopped)
            layout.RemoveSocketDirectory();
        else
            LogStillThere(logger, string.Join(", ", processes.Find()));
        held.Dispose();
        stopping.Dispose();
    }

    private static async Task<Outcome<PrivatePostgresServer>> StartLockedAsync(
        PrivatePostgresOptions options, PostgresLayout layout, DataDirectoryLock held, TimeProvider time, ILogger logger, CancellationToken ct)
    {
        var found = await PostgresBinaries.FindAsync(options, await layout.ReadMajorAsync(ct), layout.Data, ct);
        if (!found.TryGet(out var binaries, out var fault))
            return fault;
        var chosen = await OsAccount.ForAsync(options, layout, ct);
        if (!chosen.TryGet(out var account, out fault))
            return fault;
        if (await StopOrphansAsync(options, layout, time, logger, ct) is { } orphan)
            return orphan;
        var prepared = await layout.PrepareAsync(account, ct);
        if (!prepared.Succeeded)
            return prepared.Fault;
        var initialized = await Cluster.InitializeAsync(binaries, layout, account, options, ct);
        if (!initialized.Succeeded)
            return initialized.Fault;

        var command = account.WrapChild([binaries.Postgres, .. Cluster.Arguments(layout, options)]);
        var server = new PrivatePostgresServer(options, layout, held, command, time, logger) { BinDirectory = binaries.Directory };
        var running = false;
        try
        {
            if (await server.LaunchAsync(ct) is { } failure)
                return failure;
            running = true;
        }
        finally
        {
            if (!running)
                await server.processes.StopAsync(TimeSpan.Zero, CancellationToken.None);
        }

        LogReady(logger, binaries.Major, layout.Data);
        server.supervision = server.SuperviseAsync();
        return server;
    }

    private static async Task<Fault?> StopOrphansAsync(
        PrivatePostgresOptions options, PostgresLayout layout, TimeProvider time, ILogger logger, CancellationToken ct)
    {
        var orphans = new ClusterProcesses(layout.Data, time);
        if (orphans.Find() is { Count: > 0 } left)
        {
            LogOrphans(logger, string.Join(", ", left));
            if (!await orphans.StopAsync(options.StopTimeout, ct))
                return PostgresFaults.OrphanStays(layout.Data, orphans.Find());
        }

        // Nobody works on the cluster, so its pid file is stale; PostgreSQL itself would refuse to start should another process of its
        // user carry that number by now.
        if (Directory.Exists(layout.Data))
            File.Delete(Path.Combine(layout.Data, "postmaster.pid"));
        return null;
    }

    private async Task<Fault?> LaunchAsync(CancellationToken ct)
    {
        var current = postmaster = PostmasterProcess.Start(command, logger);
        var began = time.GetTimestamp();
        for (var pause = FirstPause; ; pause = Min(pause * 1.5, LongestPause))
        {
            try
            {
                await Cluster.EnsureDatabaseAsync(layout, ct);
                return null;
            }
            catch (NpgsqlException notYet) when (notYet is not PostgresException || notYet.SqlState == PostgresErrorCodes.CannotConnectNow)
            {
                if (current.Exited.IsCompleted)
                    return PostgresFaults.StartFailed(current.Tail);
                if (time.GetElapsedTime(began) >= options.StartTimeout)
                    return PostgresFaults.StartTimedOut(options.StartTimeout, $"{current.Tail} ({notYet.Message})");
            }

            await Task.WhenAny(current.Exited, Task.Delay(pause, time, ct));
            ct.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Starts PostgreSQL again when it ends by itself, such as when the kernel kills it for memory.</summary>
    private async Task SuperviseAsync()
    {
        var ct = stopping.Token;
        var pause = FirstPause;
        try
        {
            while (true)
            {
                var began = time.GetTimestamp();
                var code = await postmaster!.Exited.WaitAsync(ct);
                if (time.GetElapsedTime(began) > LongestRestartPause)
                    pause = FirstPause;
                LogEnded(logger, code, postmaster.Tail);
                await processes.StopAsync(TimeSpan.Zero, ct);
                await Task.Delay(pause, time, ct);
                pause = Min(pause * 2, LongestRestartPause);
                if (await LaunchAsync(ct) is { } fault)
                    LogRestartFailed(logger, fault.Detail);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The server stops; DisposeAsync stops PostgreSQL.
        }
    }

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;

    [LoggerMessage(Level = LogLevel.Information, Message = "Private PostgreSQL {Major} is ready in {Directory}.")]
    private static partial void LogReady(ILogger logger, int major, string directory);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A PostgreSQL of an earlier run still works on the data directory (processes {Processes}); stopping it.")]
    private static partial void LogOrphans(ILogger logger, string processes);

    [LoggerMessage(Level = LogLevel.Error, Message = "The private PostgreSQL ended by itself (exit code {Code}); starting it again. Its last lines: {Tail}")]
    private static partial void LogEnded(ILogger logger, int code, string tail);

    [LoggerMessage(Level = LogLevel.Error, Message = "The private PostgreSQL could not be started again: {Reason}")]
    private static partial void LogRestartFailed(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The private PostgreSQL could not be stopped (processes {Processes}).")]
    private static partial void LogStillThere(ILogger logger, string processes);
}

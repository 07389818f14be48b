using ControlPlane.Domain;
using ControlPlane.Persistence.PrivatePostgres;
using ControlPlane.Server.Configuration;
using Npgsql;

namespace ControlPlane.Server.Database;

/// <summary>
/// The database: the external one that was named, or the server's own, which this owns. It is made first and so disposed last, when nothing
/// writes any more.
/// </summary>
internal sealed class DatabaseLocation(ServerOptions options, TimeProvider clock, ILogger<PrivatePostgresServer> log) : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(3);
    private PrivatePostgresServer? ownServer;
    private string? connectionString = options.ConnectionString;

    public string ConnectionString => connectionString ?? throw new InvalidOperationException("The database is not started yet.");

    /// <summary>Several servers may share an external database; the private one is this server's alone.</summary>
    public bool IsExternal => options.ConnectionString is not null;

    public async Task<Outcome<Done>> StartAsync(CancellationToken ct)
    {
        if (options.ConnectionString is { } external)
            return Check(external);
        var started = await PrivatePostgresServer.StartAsync(
            new PrivatePostgresOptions(options.DataDirectory) { StopTimeout = StopTimeout }, clock, log, ct);
        if (!started.TryGet(out var server, out var fault))
            return fault;
        ownServer = server;
        connectionString = server.ConnectionString;
        return new Done();
    }

    public async ValueTask DisposeAsync()
    {
        if (ownServer is not null)
            await ownServer.DisposeAsync();
    }

    private static Outcome<Done> Check(string text)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(text).Host is { Length: > 0 }
                ? new Done()
                : Fault.Impossible("connection-string", "ConnectionStrings__ControlPlane names no Host.");
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            // The text itself may hold a password and is not repeated.
            return Fault.Impossible("connection-string", "ConnectionStrings__ControlPlane is not a connection string such as 'Host=db;Database=controlplane;Username=controlplane'.");
        }
    }
}

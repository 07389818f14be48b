using ControlPlane.Persistence.PrivatePostgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace ControlPlane.Testing.Postgres;

/// <summary>
/// A real PostgreSQL for one test assembly, without flushing, removed at the end. Databases are copies of a template that the
/// migrations have been applied to once, so each test can have its own.
/// </summary>
/// <remarks>
/// Use it as an assembly fixture: <c>[assembly: AssemblyFixture(typeof(MyPostgres))]</c>, where <c>MyPostgres</c> is a class with a
/// constructor without parameters that derives from this one.
/// </remarks>
/// <param name="migrate">Brings the empty database of the connection string to the schema the tests want.</param>
public class PostgresServer(Func<string, CancellationToken, Task> migrate) : IAsyncLifetime
{
    private const string Template = "migrated";

    private readonly SemaphoreSlim templateGate = new(1, 1);
    private TestDirectory? directory;
    private PrivatePostgresServer? server;
    private bool hasTemplate;
    private int databases;

    /// <summary>The running server; asking before <see cref="InitializeAsync"/> is a bug.</summary>
    public PrivatePostgresServer Server => server ?? throw new InvalidOperationException("The server is not started yet.");

    public async ValueTask InitializeAsync()
    {
        directory = TestDirectory.Create("postgres");
        var options = new PrivatePostgresOptions(directory.Path)
        {
            Durability = Durability.Off,
            MaxConnections = 400,
            // Each new database would otherwise wait for its turn of the cleaner, and a test's tables never live long enough to need it.
            Settings = new Dictionary<string, string> { ["autovacuum"] = "off" },
        };
        var started = await PrivatePostgresServer.StartAsync(options, TimeProvider.System, NullLogger.Instance, CancellationToken.None);
        server = started.Match(value => value, fault => throw new InvalidOperationException(fault.Detail));
    }

    /// <summary>A database of the migrated schema, for one test or one class of them.</summary>
    public async Task<TestDatabase> CreateDatabaseAsync(CancellationToken ct = default)
    {
        await EnsureTemplateAsync(ct);
        return await CreateAsync($"test_{Interlocked.Increment(ref databases)}", Template, ct);
    }

    /// <summary>A database with nothing in it.</summary>
    public Task<TestDatabase> CreateEmptyDatabaseAsync(CancellationToken ct = default) =>
        CreateAsync($"test_{Interlocked.Increment(ref databases)}", "template0", ct);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (server is not null)
            await server.DisposeAsync();
        directory?.Dispose();
        templateGate.Dispose();
    }

    internal async Task DropAsync(string name)
    {
        await using var upkeep = await OpenUpkeepAsync(CancellationToken.None);
        await using var drop = new NpgsqlCommand($"DROP DATABASE IF EXISTS {name} WITH (FORCE)", upkeep);
        await drop.ExecuteNonQueryAsync();
    }

    private async Task EnsureTemplateAsync(CancellationToken ct)
    {
        await templateGate.WaitAsync(ct);
        try
        {
            if (hasTemplate)
                return;
            var template = await CreateAsync(Template, "template0", ct);
            // Without a pool: a template with an open connection cannot be copied.
            await migrate(new NpgsqlConnectionStringBuilder(template.ConnectionString) { Pooling = false }.ConnectionString, ct);
            hasTemplate = true;
        }
        finally
        {
            templateGate.Release();
        }
    }

    private async Task<TestDatabase> CreateAsync(string name, string template, CancellationToken ct)
    {
        await using var upkeep = await OpenUpkeepAsync(ct);
        // Files are copied, not logged: the log of a database of this size costs more than its files.
        await using var create = new NpgsqlCommand($"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy OWNER controlplane", upkeep);
        await create.ExecuteNonQueryAsync(ct);
        return new TestDatabase(this, name, new NpgsqlConnectionStringBuilder(Server.ConnectionString) { Database = name }.ConnectionString);
    }

    private async Task<NpgsqlConnection> OpenUpkeepAsync(CancellationToken ct)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(Server.SuperuserConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(ct);
        return connection;
    }
}

using Npgsql;

namespace ControlPlane.Testing.Postgres;

/// <summary>One database of a <see cref="PostgresServer"/>, dropped at the end, whoever is still connected.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly PostgresServer server;
    private readonly Lazy<NpgsqlDataSource> dataSource;

    internal TestDatabase(PostgresServer server, string name, string connectionString)
    {
        (this.server, Name, ConnectionString) = (server, name, connectionString);
        dataSource = new Lazy<NpgsqlDataSource>(() => NpgsqlDataSource.Create(connectionString));
    }

    public string Name { get; }

    public string ConnectionString { get; }

    /// <summary>A pool of the test's own, closed with the database.</summary>
    public NpgsqlDataSource DataSource => dataSource.Value;

    public async ValueTask DisposeAsync()
    {
        if (dataSource.IsValueCreated)
            await dataSource.Value.DisposeAsync();
        await server.DropAsync(Name);
    }
}

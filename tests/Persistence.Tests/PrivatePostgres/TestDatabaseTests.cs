using ControlPlane.Testing.Postgres;
using Npgsql;

namespace ControlPlane.Persistence.Tests.PrivatePostgres;

/// <summary>The databases that other tests stand on.</summary>
public sealed class TestDatabaseTests : IAsyncLifetime
{
    private readonly PostgresServer server = new(MigrateAsync);

    public ValueTask InitializeAsync() => server.InitializeAsync();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Each_has_the_migrated_schema_and_sees_nothing_of_the_others()
    {
        await using var one = await server.CreateDatabaseAsync();
        await using var other = await server.CreateDatabaseAsync();

        await ExecuteAsync(one, "INSERT INTO things VALUES (1)");

        Assert.Equal(1L, await ExecuteAsync(one, "SELECT count(*) FROM things"));
        Assert.Equal(0L, await ExecuteAsync(other, "SELECT count(*) FROM things"));
    }

    [Fact]
    public async Task One_is_gone_after_its_test_whoever_is_still_connected()
    {
        var database = await server.CreateDatabaseAsync();
        await using var forgotten = NpgsqlDataSource.Create(database.ConnectionString);
        await using var connection = await forgotten.OpenConnectionAsync();

        await database.DisposeAsync();

        await using var empty = await server.CreateEmptyDatabaseAsync();
        Assert.Equal(0L, await ExecuteAsync(empty, $"SELECT count(*) FROM pg_database WHERE datname = '{database.Name}'"));
    }

    [Fact]
    public async Task Many_are_made_at_the_same_time()
    {
        var databases = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => server.CreateDatabaseAsync()));

        Assert.Equal(databases.Length, databases.Select(database => database.Name).Distinct().Count());
        foreach (var database in databases)
        {
            Assert.Equal(0L, await ExecuteAsync(database, "SELECT count(*) FROM things"));
            await database.DisposeAsync();
        }
    }

    private static async Task MigrateAsync(string connectionString, CancellationToken ct)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand("CREATE TABLE things (n int)");
        await command.ExecuteNonQueryAsync(ct);
    }

    private static async Task<object?> ExecuteAsync(TestDatabase database, string sql)
    {
        await using var command = database.DataSource.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }
}

using System.Diagnostics;
using System.Net;
using ControlPlane.Testing;
using ControlPlane.Testing.Postgres;
using ControlPlane.Testing.Servers;
using Npgsql;

[assembly: AssemblyFixture(typeof(MigratedPostgres))]

namespace ControlPlane.Server.Tests;

/// <summary>The first start, killed around the commit of its admin token: the next one leaves its operator a way in.</summary>
public sealed class FirstTokenTests(MigratedPostgres postgres) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TestDirectory directory = TestDirectory.Create("server");

    private string Data => Path.Combine(directory.Path, "data");

    public void Dispose() => directory.Dispose();

    /// <summary>
    /// PostgreSQL itself holds the server at the line where it is to die: a trigger waits for a lock of this test's, at the row (then the
    /// transaction is lost with the server) or at the commit that was sent already (then it is kept, and nobody hears the answer).
    /// </summary>
    [Theory]
    [InlineData("", 0)]
    [InlineData("DEFERRABLE INITIALLY DEFERRED", 1)]
    public async Task A_first_start_that_is_killed_at_its_token_leaves_a_way_in(string when, int kept)
    {
        const long Gate = 77;
        await using var database = await postgres.CreateDatabaseAsync();
        await ExecuteAsync(database, $"""
            CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock({Gate}); RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON tokens {when} FOR EACH ROW EXECUTE FUNCTION hold();
            """);
        await using (var gate = await database.DataSource.OpenConnectionAsync())
        {
            await using var close = new NpgsqlCommand($"SELECT pg_advisory_lock({Gate})", gate);
            await close.ExecuteNonQueryAsync();
            var killed = ServerProgram.Start(Data, ["--urls", "http://127.0.0.1:0"], database: database.ConnectionString);
            await UntilAsync(database, $"SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = {Gate} AND NOT granted)", killed);
            killed.Process.Kill();
            await killed.Process.WaitForExitAsync().WaitAsync(Patience);
            await using var open = new NpgsqlCommand($"SELECT pg_advisory_unlock({Gate})", gate);
            await open.ExecuteNonQueryAsync();
            // What the dead server had sent comes to its end.
            await UntilAsync(database, $"SELECT NOT EXISTS (SELECT FROM pg_locks WHERE relation = 'tokens'::regclass AND mode = 'RowExclusiveLock')", killed);
        }

        Assert.Equal(kept, await ScalarAsync<long>(database, "SELECT count(*) FROM tokens"));
        await ExecuteAsync(database, "DROP TRIGGER hold ON tokens");
        await using var next = await RunningServer.StartOnAsync(database.ConnectionString, Data);

        Assert.Equal(HttpStatusCode.OK, (await next.Http.GetAsync("tokens")).StatusCode);
        Assert.Equal(1, await ScalarAsync<long>(database, "SELECT count(*) FROM tokens"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Data, "admin-token")));
    }

    [Fact]
    public async Task A_token_that_cannot_be_written_is_not_made_either()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        Directory.CreateDirectory(Path.Combine(Data, "admin-token")); // A directory stands in the file's place.

        var server = ServerProgram.Start(Data, ["--urls", "http://127.0.0.1:0"], database: database.ConnectionString);
        await server.Process.WaitForExitAsync().WaitAsync(Patience);

        Assert.Equal(1, server.Process.ExitCode);
        Assert.Contains("admin-token", server.Output, StringComparison.Ordinal);
        Assert.Equal(0, await ScalarAsync<long>(database, "SELECT count(*) FROM tokens"));
    }

    private static async Task UntilAsync(TestDatabase database, string sql, ServerProgram server)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await ScalarAsync<bool>(database, sql))
            Assert.True(Stopwatch.GetElapsedTime(began) < Patience, $"{sql} does not come to hold; the server wrote:\n{server.Output}");
    }

    private static async Task<T> ScalarAsync<T>(TestDatabase database, string sql)
    {
        await using var command = database.DataSource.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    private static async Task ExecuteAsync(TestDatabase database, string sql)
    {
        await using var command = database.DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}

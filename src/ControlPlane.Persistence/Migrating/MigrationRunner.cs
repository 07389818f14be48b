using ControlPlane.Domain;
using Npgsql;

namespace ControlPlane.Persistence.Migrating;

/// <summary>
/// Brings a database to the schema of this version: forward only, each file in a transaction of its own, one server at a time. Files that
/// were applied must not change, and a database that is ahead of this version is left alone.
/// </summary>
public static class MigrationRunner
{
    /// <summary>An applied file is not what it was: someone edited history.</summary>
    public const string ChangedCode = "migration-changed";

    /// <summary>The database was migrated by a newer version.</summary>
    public const string DatabaseNewerCode = "database-newer";

    /// <summary>A file's SQL failed; nothing of it was applied.</summary>
    public const string FailedCode = "migration-failed";

    private const string LockKey = "4242, 0";

    /// <summary>Applies what is missing; answers the names of the files applied now.</summary>
    public static Task<Outcome<IReadOnlyList<string>>> ApplyAsync(string connectionString, CancellationToken ct) =>
        ApplyAsync(connectionString, SchemaMigration.BuiltIn, ct);

    public static async Task<Outcome<IReadOnlyList<string>>> ApplyAsync(
        string connectionString, IReadOnlyList<SchemaMigration> migrations, CancellationToken ct)
    {
        // Not pooled: the lock is the session's, and goes with it whatever happens. No time limit: a large table takes what it takes.
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, CommandTimeout = 0 };
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(ct);
        await ExecuteAsync(connection, $"SELECT pg_advisory_lock({LockKey})", ct);
        await ExecuteAsync(
            connection,
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                number integer PRIMARY KEY, name text NOT NULL, hash text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
            """,
            ct);

        var applied = await AppliedAsync(connection, ct);
        if (Refusal(applied, migrations) is { } refusal)
            return refusal;
        var now = new List<string>();
        foreach (var migration in migrations.Where(m => !applied.ContainsKey(m.Number)))
        {
            if (await ApplyAsync(connection, migration, ct) is { } failure)
                return failure;
            now.Add(migration.Name);
        }
        return now;
    }

    private static Fault? Refusal(Dictionary<int, (string Name, string Hash)> applied, IReadOnlyList<SchemaMigration> migrations)
    {
        foreach (var (number, (name, hash)) in applied)
        {
            if (migrations.FirstOrDefault(m => m.Number == number) is not { } migration)
                return Fault.Conflict(DatabaseNewerCode, $"The database has migration {name}, which this version does not know: run the newer version.");
            if (migration.Hash != hash)
                return Fault.Conflict(ChangedCode, $"Migration {migration.Name} was applied with other text. Undo the edit and add a new migration.");
        }
        return null;
    }

    private static async Task<Dictionary<int, (string Name, string Hash)>> AppliedAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var applied = new Dictionary<int, (string Name, string Hash)>();
        await using var command = new NpgsqlCommand("SELECT number, name, hash FROM schema_migrations ORDER BY number", connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            applied.Add(reader.GetInt32(0), (reader.GetString(1), reader.GetString(2)));
        return applied;
    }

    private static async Task<Fault?> ApplyAsync(NpgsqlConnection connection, SchemaMigration migration, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        try
        {
            await ExecuteAsync(connection, migration.Sql, ct);
        }
        catch (PostgresException e)
        {
            return Fault.Conflict(FailedCode, $"Migration {migration.Name} failed and was undone: {e.MessageText} (SQLSTATE {e.SqlState}).");
        }
        await using var record = new NpgsqlCommand("INSERT INTO schema_migrations (number, name, hash) VALUES ($1, $2, $3)", connection)
        {
            Parameters = { new() { Value = migration.Number }, new() { Value = migration.Name }, new() { Value = migration.Hash } },
        };
        await record.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
        return null;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}

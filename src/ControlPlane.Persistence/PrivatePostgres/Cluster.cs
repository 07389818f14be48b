using System.Globalization;
using ControlPlane.Domain;
using Npgsql;

namespace ControlPlane.Persistence.PrivatePostgres;

/// <summary>The database cluster on disk: made once, with a superuser for upkeep and a plain role that owns our database.</summary>
internal static class Cluster
{
    public const string Superuser = "postgres";

    /// <summary>The role the server works as, and its database.</summary>
    public const string Owner = "controlplane";

    /// <summary>Makes the cluster where there is none.</summary>
    public static async Task<Outcome<Done>> InitializeAsync(
        PostgresBinaries binaries, PostgresLayout layout, OsAccount account, PrivatePostgresOptions options, CancellationToken ct)
    {
        if (Directory.Exists(layout.Data))
            return new Done();
        var unfinished = $"{layout.Data}.new";
        if (Directory.Exists(unfinished))
            Directory.Delete(unfinished, recursive: true);

        // Trust is right on a socket in a directory that only PostgreSQL's user and root can enter.
        IReadOnlyList<string> initdb =
        [
            binaries.Initdb, "--pgdata", unfinished, "--username", Superuser, "--encoding=UTF8", "--auth-local=trust", "--auth-host=reject",
            "--data-checksums", .. options.Durability == Durability.Off ? ["--no-sync"] : Array.Empty<string>(),
        ];
        var made = await Command.RunAsync(account.Wrap([.. initdb, "--locale=C.UTF-8"]), ct);
        if (made.ExitCode != 0 && made.Output.Contains("invalid locale name", StringComparison.Ordinal))
            made = await Command.RunAsync(account.Wrap([.. initdb, "--locale=C"]), ct);
        if (made.ExitCode != 0)
            return PostgresFaults.InitializationFailed(made.Output);
        Directory.Move(unfinished, layout.Data);
        return new Done();
    }

    /// <summary>The arguments of <c>postgres</c>: sized for a small machine that also runs the server.</summary>
    public static IReadOnlyList<string> Arguments(PostgresLayout layout, PrivatePostgresOptions options)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["max_connections"] = options.MaxConnections.ToString(CultureInfo.InvariantCulture),
            ["shared_buffers"] = "128MB",
            ["work_mem"] = "8MB",
            ["maintenance_work_mem"] = "64MB",
            ["effective_cache_size"] = "512MB",
            ["max_wal_size"] = "1GB",
            ["wal_compression"] = "on",
            ["random_page_cost"] = "1.1",
            // Statements are short: compiling them, or sharing one among workers, costs more than it gains here.
            ["jit"] = "off",
            ["max_parallel_workers_per_gather"] = "0",
            ["idle_in_transaction_session_timeout"] = "60s",
            ["timezone"] = "UTC",
            ["log_timezone"] = "UTC",
            // A refused constraint is daily life here and answered as a conflict; only the server's own life is worth a line.
            ["log_min_messages"] = "log",
            ["log_checkpoints"] = "off",
            ["log_line_prefix"] = "",
            ["logging_collector"] = "off",
        };
        if (options.Durability == Durability.Off)
            settings["fsync"] = settings["full_page_writes"] = "off";
        foreach (var (name, value) in options.Settings)
            settings[name] = value;

        // What makes it private is no one's to override.
        settings["listen_addresses"] = "";
        settings["unix_socket_directories"] = layout.Socket;
        settings["unix_socket_permissions"] = "0700";
        settings["port"] = "5432";
        return ["-D", layout.Data, .. settings.SelectMany(setting => new[] { "-c", $"{setting.Key}={setting.Value}" })];
    }

    public static string ConnectionString(PostgresLayout layout, string user, string database) =>
        new NpgsqlConnectionStringBuilder { Host = layout.Socket, Port = 5432, Username = user, Database = database }.ConnectionString;

    /// <summary>Makes our role and database where they are missing. Throws while the server does not take connections yet.</summary>
    public static async Task EnsureDatabaseAsync(PostgresLayout layout, CancellationToken ct)
    {
        var upkeep = new NpgsqlConnectionStringBuilder(ConnectionString(layout, Superuser, "postgres")) { Pooling = false, Timeout = 5 };
        await using var connection = new NpgsqlConnection(upkeep.ConnectionString);
        await connection.OpenAsync(ct);
        await using var command = connection.CreateCommand();
        command.CommandText = $"SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = '{Owner}'), EXISTS (SELECT FROM pg_database WHERE datname = '{Owner}')";
        bool hasRole, hasDatabase;
        await using (var reader = await command.ExecuteReaderAsync(ct))
        {
            await reader.ReadAsync(ct);
            (hasRole, hasDatabase) = (reader.GetBoolean(0), reader.GetBoolean(1));
        }

        if (!hasRole)
            await ExecuteAsync(command, $"CREATE ROLE {Owner} LOGIN", ct);
        if (!hasDatabase)
            await ExecuteAsync(command, $"CREATE DATABASE {Owner} OWNER {Owner}", ct);
    }

    private static Task<int> ExecuteAsync(NpgsqlCommand command, string sql, CancellationToken ct)
    {
        command.CommandText = sql;
        return command.ExecuteNonQueryAsync(ct);
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using ControlPlane.Testing.Servers;
using Npgsql;

namespace ControlPlane.Benchmarks.Running;

/// <summary>The server's private PostgreSQL, from the outside: its own speed, and rows in numbers no one would create by hand.</summary>
internal sealed partial class Database(RunningServer server)
{
    private const string BenchDatabase = "pgbench";

    private readonly string socket = Path.Combine(server.Data, "postgres", "socket");

    /// <summary>One-row inserts per second as PostgreSQL's own tool measures them, each its own transaction, in a database beside ours.</summary>
    public async Task<double> OneRowInsertsPerSecondAsync(int clients, int seconds, CancellationToken ct)
    {
        await EnsureBenchDatabaseAsync(ct);
        var script = Path.Combine(Path.GetDirectoryName(server.Data)!, "insert.sql");
        await File.WriteAllTextAsync(script, "INSERT INTO rows (name, payload) VALUES ('a name', 'a payload of about the size of a small record');\n", ct);
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(Binaries(), "pgbench"),
            ["-h", socket, "-U", "postgres", "-n", "-f", script, "-c", $"{clients}", "-j", "2", "-T", $"{seconds}", BenchDatabase])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;
        var errors = process.StandardError.ReadToEndAsync(ct);
        var output = await process.StandardOutput.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        return TransactionRate().Match(output) is { Success: true } match
            ? double.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)
            : throw new InvalidOperationException($"pgbench: {output}{await errors}");
    }

    /// <summary>
    /// Copies one row of a table many times, with some columns computed from the copy's number <c>n</c>, and refreshes the planner's
    /// statistics.
    /// </summary>
    public async Task CloneRowAsync(string table, string where, int copies, IReadOnlyDictionary<string, string> computed, CancellationToken ct)
    {
        await using var connection = await OpenAsync("controlplane", ct);
        var columns = new List<string>();
        await using (var ask = new NpgsqlCommand(
            $"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' AND is_generated = 'NEVER' ORDER BY ordinal_position", connection))
        await using (var reader = await ask.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct))
                columns.Add(reader.GetString(0));
        }

        var values = columns.Select(column => computed.TryGetValue(column, out var sql) ? sql : $"t.{column}");
        await using var clone = new NpgsqlCommand(
            $"INSERT INTO {table} ({string.Join(", ", columns)}) SELECT {string.Join(", ", values)} FROM {table} t, generate_series(1, {copies}) n WHERE {where}; ANALYZE {table}",
            connection) { CommandTimeout = 300 };
        await clone.ExecuteNonQueryAsync(ct);
    }

    private async Task EnsureBenchDatabaseAsync(CancellationToken ct)
    {
        await using (var upkeep = await OpenAsync("postgres", ct))
        {
            await using var exists = new NpgsqlCommand($"SELECT count(*) FROM pg_database WHERE datname = '{BenchDatabase}'", upkeep);
            if ((long)(await exists.ExecuteScalarAsync(ct))! > 0)
                return;
            await using var create = new NpgsqlCommand($"CREATE DATABASE {BenchDatabase}", upkeep);
            await create.ExecuteNonQueryAsync(ct);
        }

        await using var connection = await OpenAsync(BenchDatabase, ct);
        await using var table = new NpgsqlCommand(
            "CREATE TABLE rows (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, payload text NOT NULL)", connection);
        await table.ExecuteNonQueryAsync(ct);
    }

    private async Task<NpgsqlConnection> OpenAsync(string database, CancellationToken ct)
    {
        var connection = new NpgsqlConnection($"Host={socket};Username=postgres;Database={database};Pooling=false");
        await connection.OpenAsync(ct);
        return connection;
    }

    /// <summary>pgbench of the version that runs: its postmaster's program tells where it is.</summary>
    private string Binaries()
    {
        var postmaster = File.ReadLines(Path.Combine(server.Data, "postgres", "data", "postmaster.pid")).First();
        return Path.GetDirectoryName(File.ResolveLinkTarget($"/proc/{postmaster}/exe", returnFinalTarget: false)!.FullName)!;
    }

    [GeneratedRegex(@"tps = ([0-9.]+) \(without initial connection time\)")]
    private static partial Regex TransactionRate();
}

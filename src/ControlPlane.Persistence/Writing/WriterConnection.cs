using System.Data;
using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace ControlPlane.Persistence.Writing;

/// <summary>
/// One connection on which batches are committed, and the number of the last one. Every batch writes its number into the writer's row,
/// so that after a lost connection the row says whether the commit happened: it is read with a lock, that is after whatever the
/// old session may still be doing.
/// </summary>
internal sealed class WriterConnection(NpgsqlDataSource source, Guid id) : IAsyncDisposable
{
    private const string WriteCursor =
        "INSERT INTO writers AS t (id, batch, at) VALUES ($1, $2, now()) ON CONFLICT (id) DO UPDATE SET batch = excluded.batch, at = excluded.at";

    private const string ReadCursor = "SELECT batch FROM writers WHERE id = $1 FOR UPDATE";

    // Another writer's row that nothing has used for so long belongs to a server that is gone.
    private const string ForgetOthers = "DELETE FROM writers WHERE at < now() - interval '30 days'";

    private readonly string applicationName = string.Create(CultureInfo.InvariantCulture, $"controlplane-writer-{id}");
    private NpgsqlConnection? connection;
    private bool isReady;
    private long batch;

    public bool IsOpen => isReady && connection is { State: ConnectionState.Open };

    /// <summary>The commit of the last batch was sent and its answer has not come: only the writer's row knows.</summary>
    public bool IsInDoubt { get; private set; }

    /// <summary>The parameters that make every plan of a writer a lookup by key, whatever the tables' statistics say while they grow.</summary>
    public static string SessionSettings =>
        "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off";

    /// <summary>Opens the connection; answers whether the batch in doubt was committed; without doubt, false.</summary>
    public async Task<bool> OpenAsync(CancellationToken ct)
    {
        await CloseAsync();
        connection = await source.OpenConnectionAsync(ct);
        await ExecuteAsync($"SET application_name = '{applicationName}'", ct);
        var wasCommitted = IsInDoubt && await WasCommittedAsync(ct);
        IsInDoubt = false;
        if (batch == 0)
            await ExecuteAsync(ForgetOthers, ct);
        isReady = true;
        return wasCommitted;
    }

    /// <summary>Starts a transaction; it is sent along with the first command.</summary>
    public async Task<NpgsqlTransaction> BeginAsync(CancellationToken ct) => await connection!.BeginTransactionAsync(ct);

    public NpgsqlBatch CreateBatch() => new(connection);

    /// <summary>The command that numbers the batch. Called once for each try.</summary>
    public NpgsqlBatchCommand NumberBatch() => new(WriteCursor)
    {
        Parameters =
        {
            new NpgsqlParameter<Guid> { TypedValue = id, NpgsqlDbType = NpgsqlDbType.Uuid },
            new NpgsqlParameter<long> { TypedValue = ++batch, NpgsqlDbType = NpgsqlDbType.Bigint },
        },
    };

    public async Task CommitAsync(NpgsqlTransaction transaction, CancellationToken ct)
    {
        IsInDoubt = true;
        await transaction.CommitAsync(ct);
        IsInDoubt = false;
    }

    /// <summary>The units of the batch in doubt have been answered that it is not known: the next batch is another matter.</summary>
    public void GiveUpDoubt() => IsInDoubt = false;

    public async Task CloseAsync()
    {
        isReady = false;
        if (connection is null)
            return;
        await connection.DisposeAsync();
        connection = null;
    }

    public async ValueTask DisposeAsync() => await CloseAsync();

    private async Task<bool> WasCommittedAsync(CancellationToken ct)
    {
        // A session whose network is gone may sit on its transaction for hours.
        await ExecuteAsync(
            $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{applicationName}' AND pid <> pg_backend_pid()", ct);
        await using var read = new NpgsqlCommand(ReadCursor, connection) { Parameters = { new() { Value = id } } };
        return await read.ExecuteScalarAsync(ct) is long stored && stored == batch;
    }

    private async Task ExecuteAsync(string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}

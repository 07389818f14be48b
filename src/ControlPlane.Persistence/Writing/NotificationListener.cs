using Microsoft.Extensions.Logging;
using Npgsql;

namespace ControlPlane.Persistence.Writing;

/// <summary>
/// Hears the commits of other servers on the same database and passes them to <see cref="CommitSignals"/>. This server's own come from its
/// writer directly. After a broken connection it tells that news may have been missed.
/// </summary>
public sealed partial class NotificationListener(
    PersistenceOptions options, ServerIdentity server, CommitSignals signals, TimeProvider time, ILogger<NotificationListener> logger)
{
    private static readonly TimeSpan ReconnectDelay = TimeSpan.FromSeconds(1);
    private readonly NotificationFormat format = new(server.Id);

    /// <summary>Listens until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        var isFirst = true;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(mayHaveMissed: !isFirst, ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (NpgsqlException e)
            {
                LogLost(e);
            }
            isFirst = false;
            await Task.Delay(ReconnectDelay, time, ct).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async Task ListenAsync(bool mayHaveMissed, CancellationToken ct)
    {
        var settings = new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            Pooling = false,
            KeepAlive = 30,
            ApplicationName = "controlplane-listener",
        };
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(ct);
        connection.Notification += (_, news) =>
        {
            if (format.TryRead(news.Payload, out var signal))
                signals.Raise(signal.Value);
        };
        await using (var listen = new NpgsqlCommand($"LISTEN {NotificationFormat.Channel}", connection))
            await listen.ExecuteNonQueryAsync(ct);
        if (mayHaveMissed)
            signals.Raise(new CommitSignal(true, [], mayHaveMissed: true));
        while (true)
            await connection.WaitAsync(ct);
    }

    [LoggerMessage(LogLevel.Warning, "The connection that hears other servers' commits is lost; it is made again")]
    private partial void LogLost(Exception exception);
}

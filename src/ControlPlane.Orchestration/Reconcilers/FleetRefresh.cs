using ControlPlane.Persistence.Writing;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// Keeps this server's memory of the fleet in step with other servers' commits: what they say they have changed is read again at once,
/// and everything after their news may have been lost. What memory misses meanwhile costs a decision made twice, never a wrong one: the
/// database has the last word.
/// </summary>
internal sealed partial class FleetRefresh : IReconciler, IDisposable
{
    /// <summary>News that come together are read together.</summary>
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim single = new(1);
    private readonly CommitSignals signals;
    private readonly FleetLoader loader;
    private readonly ReconcilerOptions options;
    private readonly ILogger<FleetRefresh> log;
    private readonly CancellationTokenSource stopping = new();
    private readonly ITimer soon;
    private int mayHaveMissed;
    private int isDue;

    public FleetRefresh(CommitSignals signals, FleetLoader loader, ReconcilerOptions options, TimeProvider clock, ILogger<FleetRefresh> log)
    {
        (this.signals, this.loader, this.options, this.log) = (signals, loader, options, log);
        soon = clock.CreateTimer(_ => _ = RunSoonAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        signals.Committed += Hear;
    }

    public string Name => "fleet-refresh";

    public TimeSpan Every => options.RefreshEvery;

    public bool OnEveryServer => true;

    public async Task<ReconcileReport> RunAsync(CancellationToken ct)
    {
        await single.WaitAsync(ct);
        try
        {
            if (Interlocked.Exchange(ref mayHaveMissed, 0) == 1)
            {
                await LoadAsync(ct);
                return new ReconcileReport(1, 1);
            }
            var read = await loader.RefreshStaleAsync(ct);
            return new ReconcileReport(read, read);
        }
        finally
        {
            single.Release();
        }
    }

    /// <summary>News may have been lost: the next run reads everything.</summary>
    public void Missed() => Interlocked.Exchange(ref mayHaveMissed, 1);

    public void Dispose()
    {
        signals.Committed -= Hear;
        stopping.Cancel();
        soon.Dispose();
    }

    private async Task LoadAsync(CancellationToken ct)
    {
        try
        {
            await loader.LoadAsync(ct);
        }
        catch
        {
            // The database is not back yet: the next run tries again.
            Missed();
            throw;
        }
    }

    private void Hear(CommitSignal signal)
    {
        if (signal.MayHaveMissed)
            Missed();
        foreach (var host in signal.Hosts)
            loader.MarkStale(host);
        if (signal.DirectoryChanged)
            loader.MarkDirectoryStale();
        var isNews = signal.MayHaveMissed || signal.DirectoryChanged || signal.Hosts.Count > 0;
        if (isNews && Interlocked.Exchange(ref isDue, 1) == 0)
            soon.Change(Gather, Timeout.InfiniteTimeSpan);
    }

    private async Task RunSoonAsync()
    {
        Interlocked.Exchange(ref isDue, 0);
        try
        {
            await RunAsync(stopping.Token);
        }
        catch (Exception fault) when (!stopping.IsCancellationRequested)
        {
            LogLater(log, fault);
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The fleet could not be read again; the next tick tries")]
    private static partial void LogLater(ILogger log, Exception fault);
}

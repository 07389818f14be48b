using ControlPlane.Persistence.Writing;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// Reads the whole fleet into memory again after news of other servers' commits may have been lost. What memory misses costs a decision
/// made twice, never a wrong one: the database has the last word.
/// </summary>
internal sealed class FleetRefresh : IReconciler, IDisposable
{
    private readonly CommitSignals signals;
    private readonly FleetLoader loader;
    private readonly ReconcilerOptions options;
    private int mayHaveMissed;

    public FleetRefresh(CommitSignals signals, FleetLoader loader, ReconcilerOptions options)
    {
        (this.signals, this.loader, this.options) = (signals, loader, options);
        signals.Committed += Hear;
    }

    public string Name => "fleet-refresh";

    public TimeSpan Every => options.RefreshEvery;

    public bool OnEveryServer => true;

    public async Task<ReconcileReport> RunAsync(CancellationToken ct)
    {
        if (Interlocked.Exchange(ref mayHaveMissed, 0) == 0)
            return default;
        try
        {
            await loader.LoadAsync(ct);
        }
        catch
        {
            // The database is not back yet: the next run tries again.
            Interlocked.Exchange(ref mayHaveMissed, 1);
            throw;
        }
        return new ReconcileReport(1, 1);
    }

    public void Dispose() => signals.Committed -= Hear;

    private void Hear(CommitSignal signal)
    {
        if (signal.MayHaveMissed)
            Interlocked.Exchange(ref mayHaveMissed, 1);
    }
}

using System.Collections.Concurrent;

namespace ControlPlane.Sagas;

/// <summary>
/// A tick at every third of the lease: renews what this server holds in one statement, learns which of it is to be cancelled, and takes
/// what dead servers left.
/// </summary>
internal sealed class LeaseKeeper(
    SagaRuntime runtime, ConcurrentDictionary<Guid, SagaRun> held, Func<SagaRecord, CancellationToken, Task> adopt, RestWaiters waiters)
    : IDisposable
{
    private readonly CancellationTokenSource stopping = new();
    private ITimer? timer;
    private Task lastTick = Task.CompletedTask;

    private ISagaStore Store => runtime.Store;

    private SagaRunnerOptions Options => runtime.Options;

    public async Task StartAsync(CancellationToken ct)
    {
        if (Options.IsSoleServer)
            await TakeAllAsync(ct);
        else
            await TakeExpiredAsync(ct);
        var interval = Options.LeaseDuration / 3;
        timer = runtime.Clock.CreateTimer(static keeper => ((LeaseKeeper)keeper!).OnTimer(), this, interval, interval);
    }

    public void Stop()
    {
        timer?.Dispose();
        stopping.Cancel();
    }

    /// <summary>Best effort: a lease that cannot be given back lapses.</summary>
    public async Task GiveBackAsync()
    {
        try
        {
            await WhenTickedAsync();
            if (!held.IsEmpty)
                await Store.RenewLeasesAsync(Options.Owner, HeldIds(), runtime.Clock.GetUtcNow() - TimeSpan.FromSeconds(1), CancellationToken.None);
        }
        catch (Exception fault)
        {
            // The server stops, whatever its database says.
            runtime.Log.TickFailed(fault, held.Count);
        }
    }

    /// <summary>The tick that has begun is over.</summary>
    public Task WhenTickedAsync() => Volatile.Read(ref lastTick);

    public void Dispose()
    {
        timer?.Dispose();
        stopping.Dispose();
    }

    /// <summary>A tick that takes longer than its interval is not overtaken by the next.</summary>
    private void OnTimer()
    {
        if (lastTick.IsCompleted && !stopping.IsCancellationRequested)
            lastTick = TickAsync(stopping.Token);
    }

    private async Task TickAsync(CancellationToken ct)
    {
        try
        {
            if (!held.IsEmpty)
            {
                await Store.RenewLeasesAsync(Options.Owner, HeldIds(), runtime.Clock.GetUtcNow() + Options.LeaseDuration, ct);
                foreach (var id in await Store.CancelRequestsAsync(Options.Owner, ct))
                {
                    if (held.TryGetValue(id, out var run))
                        run.RaiseCancel();
                }
            }

            await TakeExpiredAsync(ct);
            await waiters.LookAtOthersAsync(ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Stopping.
        }
        catch (Exception fault)
        {
            // The database is away: the leases hold for two more ticks, and appends are refused should they lapse.
            runtime.Log.TickFailed(fault, held.Count);
        }
    }

    private async Task TakeExpiredAsync(CancellationToken ct)
    {
        IReadOnlyList<SagaRecord> taken;
        do
        {
            var now = runtime.Clock.GetUtcNow();
            taken = await Store.TakeExpiredAsync(Options.Owner, now, now + Options.LeaseDuration, Options.TakeOverBatch, ct);
            foreach (var record in taken)
                await adopt(record, ct);
        }
        while (taken.Count == Options.TakeOverBatch);
    }

    private async Task TakeAllAsync(CancellationToken ct)
    {
        // Every lease lies before this time, so that one statement takes them all; a second would take the same ones again.
        var now = runtime.Clock.GetUtcNow();
        foreach (var record in await Store.TakeExpiredAsync(Options.Owner, now.AddYears(1), now + Options.LeaseDuration, int.MaxValue, ct))
            await adopt(record, ct);
    }

    private Guid[] HeldIds() => [.. held.Keys];
}

using System.Collections.Concurrent;
using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// Keeps one <see cref="HostWatch"/> on each host that this server looks after: a run begins those that are missing and ends those of hosts
/// that are gone, or another server's. The watches
/// themselves wait for events, and make a broken stream again by themselves.
/// </summary>
internal sealed class HostWatcher(FleetDirectory directory, HostLeases leases, HostEvents events, ReconcilerOptions options, TimeProvider clock) : IReconciler, IAsyncDisposable
{
    private readonly ConcurrentDictionary<HostId, HostWatch> watches = new();
    private readonly CancellationTokenSource stopping = new();
    private int isStopped;

    public string Name => "host-watcher";

    public TimeSpan Every => options.WatchEvery;

    public bool OnEveryServer => true;

    public async Task<ReconcileReport> RunAsync(CancellationToken ct)
    {
        var mine = await leases.TakeAsync(ct);
        var known = directory.Hosts.Where(h => mine.Contains(h.Id) && h.State != HostState.Connecting).Select(h => h.Id).ToHashSet();
        var changed = 0;
        foreach (var gone in watches.Keys.Where(id => !known.Contains(id)))
        {
            if (!watches.TryRemove(gone, out var watch))
                continue;
            await watch.DisposeAsync();
            changed++;
        }
        foreach (var host in known.Where(id => !watches.ContainsKey(id)))
        {
            if (stopping.IsCancellationRequested)
                break;
            watches[host] = new HostWatch(host, events, options.WatchBackOffMax, clock, stopping.Token);
            changed++;
        }
        return new ReconcileReport(watches.Count, changed);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref isStopped, 1) == 1)
            return;
        await stopping.CancelAsync();
        foreach (var watch in watches.Values)
            await watch.DisposeAsync();
        stopping.Dispose();
    }
}

/// <summary>One host's stream of events, made again with growing patience whenever it ends.</summary>
internal sealed class HostWatch : IAsyncDisposable
{
    private static readonly TimeSpan BackOffFirst = TimeSpan.FromMilliseconds(250);

    private readonly HostId host;
    private readonly HostEvents events;
    private readonly TimeSpan backOffMax;
    private readonly TimeProvider clock;
    private readonly CancellationTokenSource stopping;
    private readonly Task loop;

    public HostWatch(HostId host, HostEvents events, TimeSpan backOffMax, TimeProvider clock, CancellationToken serverStops)
    {
        (this.host, this.events, this.backOffMax, this.clock) = (host, events, backOffMax, clock);
        stopping = CancellationTokenSource.CreateLinkedTokenSource(serverStops);
        loop = Task.Run(() => LoopAsync(stopping.Token), CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await loop;
        stopping.Dispose();
    }

    private async Task LoopAsync(CancellationToken ct)
    {
        var wait = BackOffFirst;
        try
        {
            while (!ct.IsCancellationRequested)
            {
                var began = clock.GetUtcNow();
                await events.FollowAsync(host, ct);
                if (clock.GetUtcNow() - began >= backOffMax)
                    wait = BackOffFirst; // It was a good one; one that ends at once again and again is not.
                await Task.Delay(wait, clock, ct);
                wait = wait * 2 < backOffMax ? wait * 2 : backOffMax;
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The server stops, or the host is gone.
        }
    }
}

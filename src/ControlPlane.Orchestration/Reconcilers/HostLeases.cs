using ControlPlane.Domain;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// The hosts that this server looks after. Each tick renews what it has, and takes what nobody has or whose owner died. A server that
/// was asleep for longer than its leases finds out in two ways: by its own clock it looks after nothing any more, and what it writes of a
/// host is refused by the lease's generation.
/// </summary>
internal sealed partial class HostLeases(
    HostLeaseStore store, ServerIdentity server, SagaRunnerOptions sagas, ReconcilerOptions options, TimeProvider clock, ILogger<HostLeases> log)
    : IReconciler, IAsyncDisposable
{
    private readonly SemaphoreSlim single = new(1);
    private readonly string owner = server.Id.ToString();
    private IReadOnlyDictionary<HostId, HostLease> held = new Dictionary<HostId, HostLease>();
    private bool isFirst = true;
    private bool isStopped;

    public string Name => "host-leases";

    public TimeSpan Every => options.HostLease / 3;

    public bool OnEveryServer => true;

    public async Task<ReconcileReport> RunAsync(CancellationToken ct)
    {
        await single.WaitAsync(ct);
        try
        {
            if (isStopped)
                return default;
            var now = clock.GetUtcNow();
            var kept = await store.RenewAsync(owner, now + options.HostLease, ct);
            // No other server shares the database: what its predecessor had need not lapse first.
            var lapsedBefore = isFirst && sagas.IsSoleServer ? now.AddYears(1) : now;
            var taken = await store.TakeAsync(owner, lapsedBefore, now + options.HostLease, ct);
            var lost = held.Keys.Except(kept.Select(l => l.HostId)).Count();
            held = kept.Concat(taken).ToDictionary(l => l.HostId);
            isFirst = false;
            if (lost > 0)
                LogLost(log, lost);
            if (taken.Any(l => l.Generation.Value > 1))
                LogTakenOver(log, taken.Count(l => l.Generation.Value > 1));
            return new ReconcileReport(held.Count, taken.Count + lost);
        }
        finally
        {
            single.Release();
        }
    }

    /// <summary>Those that are this server's after a tick: a host that has just been added is among them.</summary>
    public async Task<IReadOnlySet<HostId>> TakeAsync(CancellationToken ct)
    {
        await RunAsync(ct);
        return held.Keys.Where(Holds).ToHashSet();
    }

    /// <summary>Whether the host is this server's now, by its own clock.</summary>
    public bool Holds(HostId host) => held.TryGetValue(host, out var lease) && clock.GetUtcNow() < lease.LeaseUntil;

    /// <summary>What is written of a host by who looks after it is refused when that is another server by now.</summary>
    public void Fence(WriteUnit unit, HostId host) => store.Require(unit, host, held.TryGetValue(host, out var lease) ? lease.Generation : Generation.None);

    public async ValueTask DisposeAsync()
    {
        await single.WaitAsync();
        try
        {
            if (isStopped)
                return;
            isStopped = true;
            // A sole server takes all when it starts again, and its database may be gone by now.
            if (!sagas.IsSoleServer && held.Count > 0)
                await store.GiveBackAsync(owner, clock.GetUtcNow() - TimeSpan.FromSeconds(1), CancellationToken.None);
        }
        catch (Exception fault)
        {
            // The server stops, whatever its database says: the leases lapse.
            LogNotGivenBack(log, fault);
        }
        finally
        {
            single.Release();
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "{Count} hosts are looked after by other servers by now")]
    private static partial void LogLost(ILogger log, int count);

    [LoggerMessage(2, LogLevel.Information, "Looks after {Count} hosts of servers that died or stopped")]
    private static partial void LogTakenOver(ILogger log, int count);

    [LoggerMessage(3, LogLevel.Warning, "The leases of hosts could not be given back; they lapse")]
    private static partial void LogNotGivenBack(ILogger log, Exception fault);
}

using System.Collections.Concurrent;
using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.Hosts;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Persistence.Writing;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// Asks every host for a sign of life. One that is silent several times in a row is recorded as down and its VMs say so; one that answers
/// again is taken back. Each host is asked by the server that has its lease; one that another has heard a moment ago is not down.
/// </summary>
internal sealed partial class HostHeartbeat(
    HostStore hosts, VmStore vms, HostLeases leases, HostConnections connections, HostRecords records, HostReturn comeback, HostConditions conditions,
    DomainSightings sightings, FleetDirectory directory, FleetLoader loader, BatchingWriter writer, ReconcilerMetrics metrics,
    ReconcilerOptions options, TimeProvider clock, ILogger<HostHeartbeat> log) : IReconciler
{
    private readonly ConcurrentDictionary<HostId, int> silentPings = new();

    public string Name => "host-heartbeat";

    public TimeSpan Every => options.HeartbeatEvery;

    public bool OnEveryServer => true;

    public async Task<ReconcileReport> RunAsync(CancellationToken ct)
    {
        var all = await hosts.AllAsync(ct);
        var now = clock.GetUtcNow();
        var mine = await leases.TakeAsync(ct);
        foreach (var host in all.Where(h => !mine.Contains(h.Id)))
        {
            await FollowAsync(host, ct);
            silentPings.TryRemove(host.Id, out _); // Should it come to this server, it is silent when this server says so.
        }
        var asked = all.Where(h => mine.Contains(h.Id) && (h.State != HostState.Connecting || now - h.UpdatedAt >= options.ConnectingGrace)).ToList();
        var seen = new ConcurrentBag<HostId>();
        var changed = 0;
        await Parallel.ForEachAsync(asked, new ParallelOptions { MaxDegreeOfParallelism = options.HostsAtOnce, CancellationToken = ct }, async (host, stop) =>
        {
            await FollowAsync(host, stop);
            var answer = await PingAsync(host, stop);
            if (answer.TryGet(out _, out _))
                seen.Add(host.Id);
            if (await SettleAsync(host, answer, stop))
                Interlocked.Increment(ref changed);
        });
        await RecordSeenAsync(seen, ct);
        Forget(all);
        return new ReconcileReport(asked.Count, changed);
    }

    /// <summary>A host that another server has changed is read again into this server's memory.</summary>
    private async Task FollowAsync(Host host, CancellationToken ct)
    {
        if (directory.FindHost(host.Id) is not { } known || known.Generation < host.Generation)
            await loader.RefreshHostAsync(host.Id, ct);
    }

    private async Task<Outcome<IHypervisor>> PingAsync(Host host, CancellationToken ct)
    {
        using var enough = new CancellationTokenSource(options.PingTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, enough.Token);
        try
        {
            var opened = await connections.OpenAsync(host.Id, either.Token);
            if (!opened.TryGet(out var hypervisor, out var fault))
                return fault;
            var answered = await hypervisor.PingAsync(either.Token);
            return answered.Fault is { } silent ? silent : opened;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return Fault.Unavailable("host-unavailable", $"No answer within {options.PingTimeout.TotalSeconds:0.#} s.");
        }
    }

    /// <returns>Whether the host was recorded as down or taken back.</returns>
    private async Task<bool> SettleAsync(Host host, Outcome<IHypervisor> answer, CancellationToken ct)
    {
        if (answer.TryGet(out _, out var fault))
        {
            silentPings.TryRemove(host.Id, out _);
            return host.State is HostState.Down or HostState.Connecting && await comeback.RunAsync(host, ct);
        }
        var silent = silentPings.AddOrUpdate(host.Id, 1, (_, count) => count + 1);
        var isLost = host.State != HostState.Down && silent >= options.SilentPingsMax && !IsHeardElsewhere(host);
        if (isLost)
            await LoseAsync(host, fault.Detail, ct);
        if (isLost || host.State == HostState.Down)
            await conditions.SetAsync(await vms.ByHostAsync(host.Id, ct), $"Host '{host.Name}' does not answer.", ct);
        return isLost;
    }

    private bool IsHeardElsewhere(Host host) =>
        host.LastSeenAt is { } seen && clock.GetUtcNow() - seen < options.HeartbeatEvery * (options.SilentPingsMax - 1);

    private async Task LoseAsync(Host host, string why, CancellationToken ct)
    {
        sightings.Forget(host.Id);
        var now = clock.GetUtcNow();
        var unit = new WriteUnit();
        leases.Fence(unit, host.Id);
        records.Silent(unit, host.Id, $"It has not answered {options.SilentPingsMax} times in a row: {why}", now);
        if ((await writer.CommitAsync(unit, ct)).Fault is not null)
            return;
        metrics.HostLost();
        LogLost(log, host.Name, why);
    }

    /// <summary>All in one unit: at a thousand hosts that is one statement, not a thousand.</summary>
    private async Task RecordSeenAsync(IReadOnlyCollection<HostId> seen, CancellationToken ct)
    {
        if (seen.Count == 0)
            return;
        var unit = new WriteUnit();
        foreach (var host in seen)
            hosts.RecordSeen(unit, host, clock.GetUtcNow());
        await writer.CommitAsync(unit, ct);
    }

    private void Forget(IReadOnlyList<Host> all)
    {
        var ids = all.Select(h => h.Id).ToHashSet();
        foreach (var id in silentPings.Keys)
            if (!ids.Contains(id))
                silentPings.TryRemove(id, out _);
    }

    [LoggerMessage(1, LogLevel.Warning, "Host {Host} does not answer any more: {Reason}")]
    private static partial void LogLost(ILogger log, string host, string reason);
}

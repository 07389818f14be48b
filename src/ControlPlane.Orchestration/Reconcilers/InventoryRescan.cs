using ControlPlane.Domain.Hosts;
using ControlPlane.Persistence.Hosts;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>Reads the inventories of this server's hosts now and then: a driver that was bound by hand, a function that fell off its bus.</summary>
internal sealed class InventoryRescan(HostStore hosts, HostLeases leases, HostScan scan, ReconcilerOptions options) : IReconciler
{
    public string Name => "inventory-rescan";

    public TimeSpan Every => options.RescanEvery;

    public bool OnEveryServer => true;

    public async Task<ReconcileReport> RunAsync(CancellationToken ct)
    {
        var mine = await leases.TakeAsync(ct);
        var answering = (await hosts.AllAsync(ct)).Where(h => mine.Contains(h.Id) && h.State is HostState.Up or HostState.Draining or HostState.Maintenance).ToList();
        var changed = 0;
        await Parallel.ForEachAsync(answering, new ParallelOptions { MaxDegreeOfParallelism = options.HostsAtOnce, CancellationToken = ct }, async (host, stop) =>
        {
            if ((await scan.RunAsync(host.Id, stop)).TryGet(out var isNew, out _) && isNew)
                Interlocked.Increment(ref changed);
        });
        return new ReconcileReport(answering.Count, changed);
    }
}

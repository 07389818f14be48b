using ControlPlane.Domain;
using ControlPlane.Orchestration.Hosts;
using ControlPlane.Persistence.Writing;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>Reads the inventory of a host that this server looks after, and records it where it differs from what is known.</summary>
internal sealed class HostScan(HostRecords records, HostLeases leases, BatchingWriter writer, TimeProvider clock)
{
    /// <summary>A host that is changed by others at this moment is read anew; more often than this it is left to the next run.</summary>
    private const int Tries = 3;

    /// <returns>Whether anything was new; a fault when the host did not answer or was changed again and again.</returns>
    public async Task<Outcome<bool>> RunAsync(HostId id, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            var scanned = await records.ScanForNewsAsync(id, clock.GetUtcNow(), ct);
            if (!scanned.TryGet(out var unit, out var fault))
                return fault;
            if (unit is null)
                return false;
            leases.Fence(unit, id);
            var committed = await writer.CommitAsync(unit, ct);
            if (committed.Succeeded)
                return true;
            if (attempt == Tries || committed.Fault.Code != WriteFaults.ChangedMeanwhileCode)
                return committed.Fault;
        }
    }
}

using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.Hosts;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>Reads the inventory of a host that this server looks after, and records it where it differs from what is known.</summary>
internal sealed class HostScan(HostStore hosts, DeviceStore devices, HostLeases leases, HostRecords records, BatchingWriter writer, TimeProvider clock)
{
    /// <summary>A host that is changed by others at this moment is read anew; more often than this it is left to the next run.</summary>
    private const int Tries = 3;

    /// <returns>Whether anything was new; a fault when the host did not answer or was changed again and again.</returns>
    public async Task<Outcome<bool>> RunAsync(HostId id, IHypervisor hypervisor, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            var host = await hosts.FindAsync(id, ct);
            if (host is null)
                return false;
            var read = await hypervisor.ReadInventoryAsync(ct);
            if (!read.TryGet(out var inventory, out var fault))
                return fault;
            if (!await IsNewAsync(host, inventory, ct))
                return false;
            var unit = await records.ScannedAsync(id, inventory, clock.GetUtcNow(), ct);
            leases.Fence(unit, id);
            var committed = await writer.CommitAsync(unit, ct);
            if (committed.Succeeded)
                return true;
            if (attempt == Tries || committed.Fault.Code != WriteFaults.ChangedMeanwhileCode)
                return committed.Fault;
        }
    }

    /// <summary>A record of a scan changes the host's generation and is told to all who watch: not for nothing.</summary>
    private async Task<bool> IsNewAsync(Host host, HostInventory inventory, CancellationToken ct)
    {
        if (host.State is HostState.Connecting or HostState.Down || !Same(host.Capacity, inventory.Capacity) || !Same(host.Cpu, inventory.Cpu))
            return true;
        var known = (await devices.ByHostAsync(host.Id, ct)).Where(d => d.Present).ToDictionary(d => d.Address, d => d.Facts);
        return known.Count != inventory.Functions.Count
            || inventory.Functions.Any(f => !known.TryGetValue(f.Address, out var facts) || !Same(facts, f));
    }

    /// <summary>As stored: records with lists in them are not equal by their contents.</summary>
    private static bool Same<T>(T left, T right) => StoredJson.Write(left) == StoredJson.Write(right);
}

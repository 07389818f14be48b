using ControlPlane.Domain;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.PciDevices;
using ControlPlane.Persistence.Operations;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Writing;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// Looks at the devices of a host that are in no VM's name: whether the host really holds none of them for a guest, and whether each can be
/// given out that should be. A device under suspicion is cleaned under a new generation, so neither its last owner nor a new one is met.
/// </summary>
internal sealed class LooseDevices(
    DeviceStore devices, DeviceRecords records, DeviceSteps steps, OperationStore operations, FindingLog log, BatchingWriter writer)
{
    /// <param name="bound">As the host lists them; asked before the rows were read.</param>
    public async Task<IReadOnlyList<AuditFinding>> RunAsync(
        IHypervisor hypervisor, IReadOnlyList<DeviceStatus> bound, IReadOnlyList<PciDevice> rows, int repairsMax, CancellationToken ct)
    {
        var suspects = Suspects(bound, rows).Where(s => log.IsRipe(s.Found.Kind, hypervisor.Host, s.Found.Subject)).Take(repairsMax).ToList();
        if (suspects.Count == 0 || (suspects.Exists(s => s.Found.Kind != FindingKind.BoundDevice) && await IsHostBusyAsync(hypervisor.Host, ct)))
            return [];
        var again = await hypervisor.ListDevicesAsync(ct);
        if (!again.TryGet(out var stillBound, out _))
            return [];
        var findings = new List<AuditFinding>();
        foreach (var suspect in suspects)
        {
            // Read again, in this order: what the host lists now it held after the row had said that nobody has the device.
            var row = await devices.FindAsync(hypervisor.Host, suspect.Row.Address, ct);
            if (row is null || row.Ownership != suspect.Row.Ownership)
                continue;
            var status = stillBound.FirstOrDefault(d => d.Claim.Address == row.Address);
            if (!Suspects(status is null ? [] : [status], [row]).Any(s => s.Found.Kind == suspect.Found.Kind))
                continue;
            if (await MendAsync(hypervisor, row, suspect.Found, ct) is { } finding)
                findings.Add(finding);
        }
        return findings;
    }

    private static IEnumerable<Suspect> Suspects(IReadOnlyList<DeviceStatus> bound, IReadOnlyList<PciDevice> rows)
    {
        var statuses = bound.ToDictionary(d => d.Claim.Address);
        foreach (var row in rows.Where(r => r is { Present: true, Ownership.Owner: null }))
        {
            var (ownership, status) = (row.Ownership, statuses.GetValueOrDefault(row.Address));
            if (Judge(row, ownership, status) is { } kind)
                yield return new Suspect(row, new Discrepancy(kind, row.Address.ToString(), Describe(row, kind, status)));
        }
    }

    private static FindingKind? Judge(PciDevice row, DeviceOwnership ownership, DeviceStatus? status) => ownership.State switch
    {
        DeviceState.Cleaning => FindingKind.UnfinishedCleaning,
        DeviceState.Host when row.Assignable => FindingKind.WithheldDevice,
        DeviceState.Free when status is not null => status.Claim.Generation > ownership.Generation ? FindingKind.UnknownGeneration : FindingKind.BoundDevice,
        _ => null,
    };

    private static string Describe(PciDevice row, FindingKind kind, DeviceStatus? status) => kind switch
    {
        FindingKind.UnfinishedCleaning => $"{row.Address} is being cleaned for nobody.",
        FindingKind.WithheldDevice => $"{row.Address} is meant for guests, and is withheld from them.",
        FindingKind.UnknownGeneration => $"The host has seen generation {status!.Claim.Generation} of {row.Address}; the database is at {row.Ownership.Generation}.",
        _ => $"{row.Address} is free, and the host holds it {(status!.Owner is { } owner ? $"for VM {owner}" : $"with driver '{status.Driver}'")} at generation {status.Claim.Generation}.",
    };

    /// <summary>An operation on the host withholds functions and cleans devices by right, also when it is stuck.</summary>
    private async Task<bool> IsHostBusyAsync(HostId host, CancellationToken ct)
    {
        foreach (var state in (OperationState[])[OperationState.Pending, OperationState.Running, OperationState.Stuck])
        {
            var page = await operations.ListAsync(new OperationFilter(Target: host.Value, State: state), new PageRequest(Limit: 1), ct);
            if (page.Value.Items.Count > 0)
                return true;
        }
        return false;
    }

    /// <returns>Null when somebody else was faster.</returns>
    private async Task<AuditFinding?> MendAsync(IHypervisor hypervisor, PciDevice row, Discrepancy found, CancellationToken ct)
    {
        var host = hypervisor.Host;
        var unit = new WriteUnit();
        switch (found.Kind)
        {
            case FindingKind.WithheldDevice:
                records.Move(unit, row, new DeviceCommand.GiveToGuests());
                return await CommitAsync(unit, VmPatches.Repaired(host, found, "Given back to guests."), ct);
            case FindingKind.UnknownGeneration:
                return await CommitAsync(unit, VmPatches.LeftAlone(host, found, "the database may be an old copy; nothing is cleaned on its word."), ct);
            case FindingKind.BoundDevice:
                row = records.Move(
                    unit, row, new DeviceCommand.Quarantine(row.Ownership.Generation, "the host still holds it for a guest"), new DeviceCommand.ReleaseQuarantine());
                if ((await writer.CommitAsync(unit, ct)).Fault is not null)
                    return null;
                break;
        }
        var proven = await steps.ProveAsync(hypervisor, row, ct);
        unit = new WriteUnit();
        if (!proven.TryGet(out var verdict, out var fault))
            return await CommitAsync(unit, VmPatches.LeftAlone(host, found, fault.Detail), ct);
        records.Move(unit, row, verdict.Binding, verdict.Command);
        return await CommitAsync(unit, VmPatches.Repaired(
            host, found, verdict.Command is DeviceCommand.Quarantine failed ? $"Quarantined: {failed.Reason}." : "Cleaned and proven."), ct);
    }

    private async Task<AuditFinding?> CommitAsync(WriteUnit unit, AuditFinding finding, CancellationToken ct)
    {
        log.Add(unit, finding);
        return (await writer.CommitAsync(unit, ct)).Succeeded ? finding : null;
    }

    private sealed record Suspect(PciDevice Row, Discrepancy Found);
}

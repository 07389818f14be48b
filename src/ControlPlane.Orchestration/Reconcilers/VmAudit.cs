using ControlPlane.Domain;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.PciDevices;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Persistence.Writing;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// Looks at one VM and one host, and mends what does not fit together. The VM is read first and its host after it, and every repair
/// begins with a compare-and-set on the VM as it was read: so whatever it is decided by was true of a VM that no operation held.
/// </summary>
internal sealed class VmAudit(
    VmStore vms, UsageStore usage, DeviceSteps devices, VmPatches patches, HostRepair hostRepair, DomainSightings sightings, FindingLog log,
    BatchingWriter writer, Announcements announcements, ReconcilerOptions options, TimeProvider clock)
{
    /// <summary>An operation has it, or had it a moment ago: it is not the auditor's.</summary>
    public bool IsLeftAlone(VirtualMachine vm) => vm.Operation is not null || clock.GetUtcNow() - vm.UpdatedAt < options.AuditGrace;

    /// <returns>What was amiss and is told of now; nothing when the host did not answer.</returns>
    public async Task<IReadOnlyList<AuditFinding>> RunAsync(VmId id, IHypervisor hypervisor, CancellationToken ct)
    {
        var vm = await vms.FindAsync(id, ct);
        return vm is null || IsLeftAlone(vm) ? [] : await JudgeAsync(vm, hypervisor, guestOnly: false, ct);
    }

    /// <summary>The same at once and for the guest's state alone: its host has just told of a change.</summary>
    public async Task<IReadOnlyList<AuditFinding>> FollowGuestAsync(VirtualMachine vm, IHypervisor hypervisor, CancellationToken ct) =>
        vm.Operation is not null || vm.Host != hypervisor.Host ? [] : await JudgeAsync(vm, hypervisor, guestOnly: true, ct);

    private async Task<IReadOnlyList<AuditFinding>> JudgeAsync(VirtualMachine vm, IHypervisor hypervisor, bool guestOnly, CancellationToken ct)
    {
        var host = hypervisor.Host;
        var found = await hypervisor.FindDomainAsync(vm.Id, ct);
        if (!found.TryGet(out var domain, out _))
            return [];
        var owned = await devices.OwnedAsync(vm.Id, host, ct);
        var holdsShare = (await usage.AllocationsAsync(vm.Id, ct)).Any(a => a.Host == host);
        var picture = new VmPicture(vm, host, domain, owned, holdsShare);
        var due = VmRules.Judge(picture)
            .Where(d => guestOnly ? d.Kind is FindingKind.GuestOff or FindingKind.GuestPaused or FindingKind.GuestResumed : log.IsDue(d.Kind, host, d.Subject))
            .ToList();
        for (var i = 0; i < due.Count; i++)
            due[i] = await PlacedAsync(vm, due[i], ct);
        return due.Count == 0 ? []
            : due.Any(d => d.TouchesHost) ? await hostRepair.RunAsync(picture, due, hypervisor, ct)
            : await RecordAsync(vm, host, due, ct);
    }

    private async Task<Discrepancy> PlacedAsync(VirtualMachine vm, Discrepancy found, CancellationToken ct) =>
        found.Kind == FindingKind.GuestOff && await sightings.RunsElsewhereAsync(vm, ct) is { } other
            ? found with { Kind = FindingKind.MisplacedGuest, Detail = $"{found.Detail} It was seen to run on host {other}." }
            : found;

    private async Task<IReadOnlyList<AuditFinding>> RecordAsync(VirtualMachine vm, HostId host, IReadOnlyList<Discrepancy> due, CancellationToken ct)
    {
        var findings = new List<AuditFinding>();
        var unit = new WriteUnit();
        var next = vm;
        foreach (var found in due)
        {
            if (found.Kind == FindingKind.MisplacedGuest)
            {
                findings.Add(VmPatches.LeftAlone(host, found, "an operator has to say which of the two is the VM."));
                continue;
            }
            (next, var finding) = patches.Apply(unit, next, host, found);
            findings.Add(finding);
        }
        if (findings.Exists(f => f.Repaired))
        {
            next = next with { Generation = vm.Generation.Next(), UpdatedAt = clock.GetUtcNow() };
            vms.Update(unit, next, vm.Generation);
            announcements.VmChanged(unit, next);
        }
        foreach (var finding in findings)
            log.Add(unit, finding);
        var committed = await writer.CommitAsync(unit, ct);
        return committed.Fault switch
        {
            null => findings,
            { Code: WriteFaults.PlacementConflictCode } => await RefusedAsync(host, due, ct),
            _ => [], // Changed meanwhile: the next run looks again.
        };
    }

    /// <summary>The host has sold to others what the VM should hold: people have to make room.</summary>
    private async Task<IReadOnlyList<AuditFinding>> RefusedAsync(HostId host, IReadOnlyList<Discrepancy> due, CancellationToken ct)
    {
        var findings = due.Where(d => d.Kind == FindingKind.MissingAllocation)
            .Select(d => VmPatches.LeftAlone(host, d, "the host has sold that much to others; move a VM away.")).ToList();
        await log.TellAsync(findings, ct);
        return findings;
    }
}

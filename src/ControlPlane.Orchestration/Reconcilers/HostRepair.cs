using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.PciDevices;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// Repairs that touch a host, with the VM held: first its domain where it should not be, then its devices, which a VMM may have open
/// until then, and at last what is recorded.
/// </summary>
internal sealed class HostRepair(
    VmHold hold, DomainSightings sightings, DeviceSteps devices, DomainDefinitions definitions, VmPatches patches, FindingLog log,
    BatchingWriter writer, ReconcilerOptions options)
{
    public async Task<IReadOnlyList<AuditFinding>> RunAsync(VmPicture picture, IReadOnlyList<Discrepancy> due, IHypervisor hypervisor, CancellationToken ct)
    {
        var taken = await hold.TakeAsync(picture.Vm, new WriteUnit(), ct);
        if (!taken.TryGet(out var held, out _))
            return []; // An operation was faster; what is left of it the next run sees.
        var repair = new Repair(picture with { Vm = held }, hypervisor);
        try
        {
            await MendAsync(repair, due, ct);
            repair.IsComplete = true;
        }
        finally
        {
            // Also when this server is being stopped, or a bug struck: the VM must not stay held.
            await ReleaseAsync(repair, held);
        }
        return repair.Findings;
    }

    private async Task MendAsync(Repair repair, IReadOnlyList<Discrepancy> due, CancellationToken ct)
    {
        string? domainStays = null;
        foreach (var found in due.Where(d => d.Kind == FindingKind.StrayDomain))
        {
            domainStays = await RemoveDomainAsync(repair, ct);
            repair.Tell(found, domainStays, "Destroyed and forgotten; disks that it had here were left, since they may be on storage that hosts share.");
        }
        foreach (var found in due.Where(d => d.Kind == FindingKind.StrayDevice))
            repair.Tell(found, domainStays is null ? await BringHomeAsync(repair, found.Device!, ct) : "its domain is still here.", "Drained and cleaned.");
        foreach (var found in due.Where(d => d.Kind == FindingKind.MissingDevice))
        {
            var refused = await ReplugAsync(repair, found.Attachment!, ct);
            repair.Vm = refused is null ? VmPatches.Plugged(repair.Vm, found.Attachment!) : patches.Away(repair.Vm, found.Attachment!, refused);
            repair.Tell(found, refused, "Plugged again.");
        }
        foreach (var found in due.Where(d => !d.TouchesHost && d.Kind != FindingKind.MisplacedGuest))
        {
            if (found.Kind == FindingKind.StrayAllocation && domainStays is not null)
            {
                repair.Tell(found, "its domain is still here.", "");
                continue;
            }
            (repair.Vm, var finding) = patches.Apply(repair.Unit, repair.Vm, repair.Host, found);
            repair.Findings.Add(finding);
        }
    }

    /// <summary>
    /// Ends a domain that is not the VM's by its record. One that runs is ended only when the VM is seen to run where it is recorded, or is
    /// recorded nowhere: the last living copy of a guest is never killed.
    /// </summary>
    /// <returns>Null when it is gone; else why it is not.</returns>
    private async Task<string?> RemoveDomainAsync(Repair repair, CancellationToken ct)
    {
        var (vm, here) = (repair.Vm, repair.Hypervisor);
        var seen = repair.Picture.Domain!.State;
        if (seen is DomainState.Running or DomainState.Paused && vm.Host is { } home && !await sightings.RunsAtAsync(home, vm.Id, ct))
            return "the VM is not seen to run on the host that it is recorded on.";
        // It may have arrived whole and wait for the word to run: then it is all there is of the guest.
        if (seen == DomainState.Incoming && vm.Host is { } source && !await HasDomainAsync(source, vm.Id, ct))
            return "the VM has no domain on the host that it is recorded on, so this may be the guest itself.";
        return (await here.RemoveAsync(vm.Ref(), seen, DiskFate.Keep, ct)).Fault?.Detail;
    }

    private async Task<bool> HasDomainAsync(HostId host, VmId vm, CancellationToken ct) =>
        (await sightings.FindAtAsync(host, vm, ct)).TryGet(out var domain, out _) && domain is not null;

    /// <summary>A device that the guest still has must leave it first: what a VMM holds open cannot be proven clean.</summary>
    private async Task<string?> BringHomeAsync(Repair repair, PciDevice device, CancellationToken ct)
    {
        var plugged = repair.Picture.IsHome ? repair.Picture.Domain?.Devices.FirstOrDefault(d => d.Claim.Address == device.Address) : null;
        if (plugged is not null)
        {
            var unplugged = await repair.Hypervisor.UnplugAsync(repair.Vm.Ref(), plugged.Name, options.UnplugTimeout, ct);
            if (AttachSaga.Settled(unplugged, plugged.Name).Fault is { } unwilling)
                return unwilling.Detail;
        }
        var cleaned = await devices.CleanAsync(repair.Vm.Id, repair.Host, [device], ct);
        if (!cleaned.TryGet(out var unit, out var fault))
            return fault.Detail;
        return (await writer.CommitAsync(unit, ct)).Fault?.Detail;
    }

    /// <summary>Hands the device over again, which changes nothing where the host still has it ready, and plugs it.</summary>
    private async Task<string?> ReplugAsync(Repair repair, DeviceAttachment attachment, CancellationToken ct)
    {
        var prepared = await devices.PrepareAsync(repair.Vm, repair.Host, [attachment], ct);
        if (!prepared.TryGet(out var unit, out var fault))
            return fault.Detail;
        if (!unit.IsEmpty && (await writer.CommitAsync(unit, ct)).Fault is { } refused)
            return refused.Detail;
        return (await repair.Hypervisor.PlugAsync(repair.Vm.Ref(), definitions.Device(repair.Vm, attachment), ct)).Fault?.Detail;
    }

    private async Task ReleaseAsync(Repair repair, VirtualMachine held)
    {
        foreach (var finding in repair.Findings)
            log.Add(repair.Unit, finding);
        var open = repair.Findings.FirstOrDefault(f => !f.Repaired);
        var failure = !repair.IsComplete ? new SagaFailure("repair-interrupted", "The repair was interrupted; the next audit looks again.")
            : open is null ? null : new SagaFailure("repair-incomplete", $"{open.Detail} {open.Outcome}");
        var released = await hold.ReleaseAsync(held, repair.Vm, failure, repair.Unit, CancellationToken.None);
        if (released.Succeeded)
            return;
        // What it was to record was refused (room on the host that others have bought): the VM is let go all the same.
        repair.Findings.Clear();
        await hold.ReleaseAsync(held, held, new SagaFailure(released.Fault!.Code, released.Fault.Detail), new WriteUnit(), CancellationToken.None);
    }

    /// <summary>One repair under way.</summary>
    private sealed class Repair(VmPicture picture, IHypervisor hypervisor)
    {
        public VmPicture Picture => picture;

        public IHypervisor Hypervisor => hypervisor;

        public HostId Host => picture.Host;

        /// <summary>As it is to be recorded; its generation is the epoch of all that is done.</summary>
        public VirtualMachine Vm { get; set; } = picture.Vm;

        public WriteUnit Unit { get; } = new();

        public bool IsComplete { get; set; }

        public List<AuditFinding> Findings { get; } = [];

        public void Tell(Discrepancy found, string? refused, string done) =>
            Findings.Add(refused is null ? VmPatches.Repaired(Host, found, done) : VmPatches.LeftAlone(Host, found, refused));
    }
}

using ControlPlane.Domain;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.PciDevices;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Operations;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// Takes a VM out of the hands of an operation that nothing carries on. What its host shows of it is what it is from then on; one that
/// never came to life has failed and gives everything back, and a deletion is begun again.
/// </summary>
internal sealed class AbandonedVms(
    HostConnections hosts, VmStore vms, OperationStore operationStore, OperationRecords operations, OperationStarter starter, VmHold hold, VmRecords records,
    DeviceSteps devices, FindingLog log, BatchingWriter writer, Announcements announcements)
{
    private static readonly SagaFailure GivenUp = new("abandoned", "Nothing carried the operation on.");

    /// <returns>Null when somebody else was faster.</returns>
    public async Task<AuditFinding?> LetGoAsync(VirtualMachine vm, CancellationToken ct)
    {
        var found = new Discrepancy(
            FindingKind.AbandonedVm, vm.Id.ToString(),
            $"VM '{vm.Name}' is {vm.State.ToString().ToLowerInvariant()}, and {(vm.Operation is { } held ? $"its operation {held} is over" : "no operation is under way")}.");
        var seen = await SeenAsync(vm, ct);
        if (!seen.TryGet(out var domain, out var silent))
            return await TellAsync(VmPatches.LeftAlone(vm.Host, found, silent.Detail), ct);
        return vm.State switch
        {
            VmState.Deleting => await DeleteAgainAsync(vm, found, ct),
            VmState.Pending when domain is not { State: DomainState.Running or DomainState.Paused } => await FailAsync(vm, found, ct),
            VmState.Migrating when domain is not { State: DomainState.Running } =>
                await TellAsync(VmPatches.LeftAlone(vm.Host, found, "its guest does not run on the host that it is recorded on; look at both hosts."), ct),
            _ => await RecordAsync(vm, StateOf(vm, domain), found, ct),
        };
    }

    /// <summary>Its domain on the host that it is recorded on, if there is one.</summary>
    private async Task<Outcome<DomainStatus?>> SeenAsync(VirtualMachine vm, CancellationToken ct)
    {
        if (vm.Host is not { } home)
            return default(Outcome<DomainStatus?>);
        var opened = await hosts.OpenAsync(home, ct);
        return opened.TryGet(out var hypervisor, out var silent) ? await hypervisor.FindDomainAsync(vm.Id, ct) : silent;
    }

    private static VmState StateOf(VirtualMachine vm, DomainStatus? domain) => vm.State == VmState.Failed ? VmState.Failed : domain?.State switch
    {
        DomainState.Running => VmState.Running,
        DomainState.Paused => VmState.Paused,
        _ => VmState.Stopped,
    };

    /// <summary>The dead operation itself, unless it has ended; it is the reason why the VM was held.</summary>
    private async Task<WriteUnit> EndOperationAsync(VirtualMachine vm, CancellationToken ct)
    {
        var unit = new WriteUnit();
        if (vm.Operation is { } id && await operationStore.FindAsync(id, ct) is { HasEnded: false } running)
            operations.End(unit, id, OperationState.Failed, running.Project, GivenUp, starter.Now);
        return unit;
    }

    private async Task<AuditFinding?> RecordAsync(VirtualMachine vm, VmState state, Discrepancy found, CancellationToken ct)
    {
        var unit = await EndOperationAsync(vm, ct);
        var next = vm with { State = state, Operation = null, Generation = vm.Generation.Next(), UpdatedAt = starter.Now };
        vms.Update(unit, next, vm.Generation);
        announcements.VmChanged(unit, next);
        return await CommitAsync(unit, VmPatches.Repaired(vm.Host, found, $"Let go, and recorded as {state.ToString().ToLowerInvariant()}."), ct);
    }

    private async Task<AuditFinding?> DeleteAgainAsync(VirtualMachine vm, Discrepancy found, CancellationToken ct)
    {
        var unit = await EndOperationAsync(vm, ct);
        var next = vm with { Operation = starter.NextId(), Generation = vm.Generation.Next(), UpdatedAt = starter.Now };
        vms.Update(unit, next, vm.Generation);
        announcements.VmChanged(unit, next);
        var finding = VmPatches.Repaired(vm.Host, found, "Its deletion was begun again.");
        log.Add(unit, finding);
        var started = await starter.StartAsync(
            unit, next.Operation.Value, DeleteVirtualMachineSaga.KindName, new OperationTarget("vm", vm.Id.Value), vm.Project,
            new DeleteVirtualMachineSaga.State(next), context: null, ct);
        return started.Succeeded ? finding : null;
    }

    /// <summary>As the undo of its creation would have ended: nothing of it is on the host, and it holds nothing but its name.</summary>
    private async Task<AuditFinding?> FailAsync(VirtualMachine vm, Discrepancy found, CancellationToken ct)
    {
        var taken = await hold.TakeAsync(vm, await EndOperationAsync(vm, ct), ct);
        if (!taken.TryGet(out var held, out _))
            return null;
        var unit = new WriteUnit();
        string? why = "the server was stopped.";
        try
        {
            why = await RemoveAsync(held, ct);
        }
        finally
        {
            if (why is null)
            {
                records.CreateFailed(unit, held, GivenUp, new SagaEnd(held.Operation!.Value.Value, starter.Now));
                hold.End(unit, held, null);
                log.Add(unit, VmPatches.Repaired(vm.Host, found, "Recorded as failed; all that it held was given back."));
                await writer.CommitAsync(unit, CancellationToken.None);
            }
            else
            {
                log.Add(unit, VmPatches.LeftAlone(vm.Host, found, why));
                await hold.ReleaseAsync(held, held, new SagaFailure("repair-incomplete", why), unit, CancellationToken.None);
            }
        }
        return why is null ? VmPatches.Repaired(vm.Host, found, "Recorded as failed.") : VmPatches.LeftAlone(vm.Host, found, why);
    }

    /// <returns>Null when nothing of it is left on its host; else why something is.</returns>
    private async Task<string?> RemoveAsync(VirtualMachine held, CancellationToken ct)
    {
        var host = held.Host!.Value;
        var opened = await hosts.OpenAsync(host, ct);
        if (!opened.TryGet(out var hypervisor, out var fault))
            return fault.Detail;
        if ((await hypervisor.RemoveAsync(held.Ref(), seen: null, DiskFate.Delete, ct)).Fault is { } refused)
            return refused.Detail;
        var cleaned = await devices.CleanAllAsync(held.Id, host, ct);
        return cleaned.TryGet(out var unit, out fault) ? (await writer.CommitAsync(unit, ct)).Fault?.Detail : fault.Detail;
    }

    private async Task<AuditFinding?> TellAsync(AuditFinding finding, CancellationToken ct)
    {
        await log.TellAsync([finding], ct);
        return finding;
    }

    private async Task<AuditFinding?> CommitAsync(WriteUnit unit, AuditFinding finding, CancellationToken ct)
    {
        log.Add(unit, finding);
        return (await writer.CommitAsync(unit, ct)).Succeeded ? finding : null;
    }
}

using ControlPlane.Domain;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// Keeps a VM from all operations while a repair touches its host: the repair is the VM's operation for that time, with the VM's new
/// generation as its epoch. An operation that was accepted before makes the taking fail; one that is asked for meanwhile is refused;
/// one that comes after fences off whatever of the repair is late. A repair that dies with its server is found as abandoned work.
/// </summary>
internal sealed class VmHold(VmStore vms, OperationRecords operations, OperationStarter starter, BatchingWriter writer, Announcements announcements)
{
    public const string OperationKind = "vm.repair";

    /// <param name="vm">As it was judged: whatever has changed it since refuses the taking.</param>
    /// <param name="unit">What else is to be true from this moment on.</param>
    /// <returns>The VM in the repair's hands.</returns>
    public async Task<Outcome<VirtualMachine>> TakeAsync(VirtualMachine vm, WriteUnit unit, CancellationToken ct)
    {
        var id = starter.NextId();
        var now = starter.Now;
        var held = vm with { Operation = id, Generation = vm.Generation.Next(), UpdatedAt = now };
        vms.Update(unit, held, vm.Generation);
        operations.Accept(unit, new Operation(
            id, OperationKind, OperationState.Running, new OperationTarget("vm", vm.Id.Value), vm.Project, null, null, now, null));
        announcements.VmChanged(unit, held);
        var committed = await writer.CommitAsync(unit, ct);
        return committed.Map(_ => held);
    }

    /// <summary>Ends the repair and lets the VM go as it is now, in one commit with what else has become true.</summary>
    /// <param name="failure">What could not be repaired; null: nothing.</param>
    public Task<Outcome<Done>> ReleaseAsync(VirtualMachine held, VirtualMachine next, SagaFailure? failure, WriteUnit unit, CancellationToken ct)
    {
        var now = starter.Now;
        var released = next with { Operation = null, UpdatedAt = now };
        vms.UpdateUnder(unit, held.Operation!.Value, released);
        announcements.VmChanged(unit, released);
        End(unit, held, failure);
        return writer.CommitAsync(unit, ct);
    }

    /// <summary>The end of the repair's operation, for a unit that lets the VM go by itself.</summary>
    public void End(WriteUnit unit, VirtualMachine held, SagaFailure? failure) => operations.End(
        unit, held.Operation!.Value, failure is null ? OperationState.Succeeded : OperationState.Failed, held.Project, failure, starter.Now);
}

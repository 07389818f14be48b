using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration.Claims;
using ControlPlane.Orchestration.Placements;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration.VirtualMachines;

/// <summary>
/// Writes what becomes of a VM at the end of its operations. The operation under way holds the VM: its writes go by the operation's id,
/// so a label that changes meanwhile neither stops it nor is lost.
/// </summary>
public sealed class VmRecords(VmStore vms, UsageStore usage, PlacementRecords placements, Announcements announcements)
{
    /// <summary>The operation is over and the VM rests in the state that the result leads to.</summary>
    public void Settle(WriteUnit unit, VirtualMachine vm, VmCommand result, SagaEnd end)
    {
        var state = vm.State.Apply(result).Value;
        Write(unit, vm with { State = state, Operation = null, Conditions = Conditions(vm, state, end.At), UpdatedAt = end.At }, end);
    }

    /// <summary>Spec, interfaces and attachments were changed by hot-plug; the VM's state was not.</summary>
    public void Reconfigured(WriteUnit unit, VirtualMachine vm, SagaEnd end) =>
        Write(unit, vm with { Operation = null, UpdatedAt = end.At }, end);

    /// <summary>What was to be plugged is not: its names, MAC and quota are free again. Its devices went home by their own undo.</summary>
    public void ReconfigurationUndone(WriteUnit unit, PlugState s, SagaEnd end)
    {
        GiveBack(unit, s);
        Reconfigured(unit, s.Before, end);
    }

    /// <summary>What was unplugged is no longer the VM's.</summary>
    public void Detached(WriteUnit unit, PlugState s, SagaEnd end)
    {
        GiveBack(unit, s);
        Reconfigured(unit, s.After, end);
    }

    /// <summary>The VM stays as failed, holding nothing but its name, so that the caller can read why.</summary>
    public void CreateFailed(WriteUnit unit, VirtualMachine vm, SagaFailure failure, SagaEnd end)
    {
        GiveBackEverything(unit, vm);
        Write(unit, vm with
        {
            State = vm.State.Apply(VmCommand.CreateFailed).Value,
            Host = null,
            Attachments = [],
            Operation = null,
            Conditions = [new Condition("create-failed", true, failure.Message, end.At)],
            UpdatedAt = end.At,
        }, end);
    }

    public void Deleted(WriteUnit unit, VirtualMachine vm, SagaEnd end)
    {
        if (vm.Host is not null)
            GiveBackEverything(unit, vm);
        vms.DeleteUnder(unit, new OperationId(end.SagaId), vm.Id);
        announcements.VmDeleted(unit, vm, end.At);
    }

    private void Write(WriteUnit unit, VirtualMachine vm, SagaEnd end)
    {
        vms.UpdateUnder(unit, new OperationId(end.SagaId), vm);
        announcements.VmChanged(unit, vm);
    }

    private void GiveBackEverything(WriteUnit unit, VirtualMachine vm)
    {
        placements.ReleaseAllocation(unit, vm.Id, vm.Host!.Value);
        usage.RemoveMacs(unit, vm.Id);
        usage.GiveQuotaBack(unit, vm.Project, Quotas.Of(vm.Spec));
    }

    private void GiveBack(WriteUnit unit, PlugState s)
    {
        if (s.Interface is { } nic)
            usage.RemoveMac(unit, s.Before.Id, nic.Name);
        usage.GiveQuotaBack(unit, s.Before.Project, Quotas.Difference(s.Before.Spec, s.After.Spec));
    }

    /// <summary>A guest with all its devices has none to miss; conditions of another kind stay.</summary>
    private static IReadOnlyList<Condition> Conditions(VirtualMachine vm, VmState state, DateTimeOffset at) =>
        state == VmState.Running && vm.Attachments.All(a => a.Plugged)
            ? [.. vm.Conditions.Where(c => c.Type != ConditionTypes.DegradedInterface)]
            : vm.Conditions;
}

/// <summary>The kinds of <see cref="Condition"/> that are set here.</summary>
public static class ConditionTypes
{
    /// <summary>A device that the VM should have is away; a standby may carry the traffic.</summary>
    public const string DegradedInterface = "degraded-interface";

    /// <summary>The VM's host does not answer, so what is shown of the VM is what was last known.</summary>
    public const string HostUnreachable = "host-unreachable";
}

internal static class VmChanges
{
    /// <summary>All attachments in the guest, or none.</summary>
    public static VirtualMachine WithPlugged(this VirtualMachine vm, bool plugged) =>
        vm with { Attachments = [.. vm.Attachments.Select(a => a with { Plugged = plugged })] };
}

using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Orchestration.PciDevices;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration.Hosts;

/// <summary>
/// Makes or removes virtual functions. Those that exist were withheld from placement when this was accepted (state <c>host</c>), so
/// nobody can be given one that is about to vanish; the kernel refuses the change while one is in use all the same.
/// </summary>
internal sealed class SetVirtualFunctionCountSaga(HostConnections hosts, HostRecords records, DeviceRecords devices, OperationRecords operations)
    : OperationSaga<SetVirtualFunctionCountSaga.State>(operations)
{
    public const string KindName = "pci-device.set-virtual-functions";

    /// <param name="Before">Functions enabled when it was accepted.</param>
    /// <param name="Withheld">Functions to give back to guests in the end.</param>
    public sealed record State(HostId Host, PciAddress PhysicalFunction, int Before, int Count, IReadOnlyList<DeviceClaim> Withheld);

    public override string Kind => KindName;

    protected override void Define(SagaPlan<State> plan) => plan
        .Step("set-count", SetCount, undo: RestoreCount, refused: RefusedChanges.Retry)
        .Step("read-inventory", ReadInventory, undo: NothingToUndo, refused: RefusedChanges.Retry);  // the undo above reads again

    protected override void Succeeded(WriteUnit unit, State s, SagaEnd end) => devices.GiveBack(unit, s.Host, s.Withheld);

    protected override void Undone(WriteUnit unit, State s, SagaFailure failure, SagaEnd end) => devices.GiveBack(unit, s.Host, s.Withheld);

    private Task<StepOutcome<State>> SetCount(State s, StepContext context, CancellationToken ct) =>
        hosts.ActAsync(s, s.Host, async h => (await h.SetVirtualFunctionCountAsync(s.PhysicalFunction, s.Count, ct)).Map(_ => default(Done)), ct);

    private async Task<StepOutcome<State>> RestoreCount(State s, StepContext context, CancellationToken ct)
    {
        var opened = await hosts.OpenAsync(s.Host, ct);
        if (!opened.TryGet(out var hypervisor, out var fault))
            return fault.ToOutcome<State>();
        var restored = await hypervisor.SetVirtualFunctionCountAsync(s.PhysicalFunction, s.Before, ct);
        return restored.Fault is { } refused ? refused.ToOutcome<State>() : await ReadInventory(s, context, ct);
    }

    private async Task<StepOutcome<State>> ReadInventory(State s, StepContext context, CancellationToken ct)
    {
        var scanned = await records.ScanAsync(s.Host, context.Now, ct);
        return scanned.Match(unit => Done(s, unit), HypervisorFaults.ToOutcome<State>);
    }
}

using ControlPlane.Domain;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.PciDevices;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration.VirtualMachines;

/// <summary>
/// Ends a VM: its guest is powered off, its domain forgotten, its devices brought home with a proof, and everything it held is given
/// back in the last commit. There is no way back, so it only goes forward; a host that stays silent leaves it stuck until it answers.
/// </summary>
internal sealed class DeleteVirtualMachineSaga(HostConnections hosts, DeviceSteps devices, VmRecords records, OperationRecords operations)
    : OperationSaga<DeleteVirtualMachineSaga.State>(operations)
{
    public const string KindName = "vm.delete";

    public sealed record State(VirtualMachine Vm);

    public override string Kind => KindName;

    protected override void Define(SagaPlan<State> plan) => plan
        .PointOfNoReturn()
        .ForwardStep("destroy-domain", DestroyDomain)
        .ForwardStep("undefine-domain", UndefineDomain, when: s => s.Vm.Host is not null)
        .ForwardStep("clean-devices", CleanDevices, when: s => s.Vm.Attachments.Count > 0);

    protected override ProjectId? ProjectOf(State s) => s.Vm.Project;

    protected override void Succeeded(WriteUnit unit, State s, SagaEnd end) => records.Deleted(unit, s.Vm, end);

    protected override void Undone(WriteUnit unit, State s, SagaFailure failure, SagaEnd end) =>
        throw new InvalidOperationException($"{KindName} has no undo.");

    /// <summary>A failed VM has no host, and nothing runs of it.</summary>
    private Task<StepOutcome<State>> DestroyDomain(State s, StepContext context, CancellationToken ct) =>
        s.Vm.Host is null ? Task.FromResult(Done(s)) : hosts.ActAsync(s, s.Vm.Host, h => h.DestroyAsync(s.Vm.Ref(), ct), ct);

    private Task<StepOutcome<State>> UndefineDomain(State s, StepContext context, CancellationToken ct) =>
        hosts.ActAsync(s, s.Vm.Host, h => h.UndefineAsync(s.Vm.Ref(), DiskFate.Delete, ct), ct);

    private async Task<StepOutcome<State>> CleanDevices(State s, StepContext context, CancellationToken ct)
    {
        var host = s.Vm.Host!.Value;
        var cleaned = await devices.CleanAllAsync(s.Vm.Id, host, ct);
        return cleaned.Match(unit => Done(s, unit), HypervisorFaults.ToOutcome<State>);
    }
}

using ControlPlane.Domain;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.PciDevices;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration.VirtualMachines;

/// <summary>
/// Brings a placed VM to life on its host: devices handed over, domain defined, guest started. Its claims were committed when it was
/// accepted. When it cannot be made, everything it held is given back and the VM is left as <c>failed</c> with the reason.
/// </summary>
internal sealed class CreateVirtualMachineSaga(
    HostConnections hosts, DeviceSteps devices, DomainDefinitions definitions, VmRecords records, OperationRecords operations)
    : OperationSaga<CreateVirtualMachineSaga.State>(operations)
{
    public const string KindName = "vm.create";

    /// <param name="Vm">As accepted: nothing but this operation changes it before the end.</param>
    public sealed record State(VirtualMachine Vm, bool Start);

    public override string Kind => KindName;

    protected override void Define(SagaPlan<State> plan) => plan
        .Step("prepare-devices", PrepareDevices, undo: CleanDevices, when: s => s.Vm.Attachments.Count > 0)  // bound to VFIO, MAC and VLAN set
        .Step("create-domain", CreateDomain, undo: RemoveDomain);

    protected override ProjectId? ProjectOf(State s) => s.Vm.Project;

    protected override void Succeeded(WriteUnit unit, State s, SagaEnd end) =>
        records.Settle(unit, s.Vm.WithPlugged(true), s.Start ? VmCommand.Started : VmCommand.Stopped, end);

    protected override void Undone(WriteUnit unit, State s, SagaFailure failure, SagaEnd end) => records.CreateFailed(unit, s.Vm, failure, end);

    private async Task<StepOutcome<State>> PrepareDevices(State s, StepContext context, CancellationToken ct)
    {
        var prepared = await devices.PrepareAsync(s.Vm, s.Vm.Host!.Value, s.Vm.Attachments, ct);
        return prepared.Match(unit => Done(s, unit), HypervisorFaults.ToOutcome<State>);
    }

    private async Task<StepOutcome<State>> CleanDevices(State s, StepContext context, CancellationToken ct)
    {
        var host = s.Vm.Host!.Value;
        var cleaned = await devices.CleanAllAsync(s.Vm.Id, host, ct);
        return cleaned.Match(unit => Done(s, unit), HypervisorFaults.ToOutcome<State>);
    }

    private Task<StepOutcome<State>> CreateDomain(State s, StepContext context, CancellationToken ct)
    {
        var definition = definitions.Define(s.Vm, s.Vm.Generation, s.Vm.Attachments);
        return hosts.ActAsync(s, s.Vm.Host, h => s.Start ? h.BootAsync(definition, ct) : h.DefineAsync(definition, ct), ct);
    }

    private Task<StepOutcome<State>> RemoveDomain(State s, StepContext context, CancellationToken ct) =>
        hosts.ActAsync(s, s.Vm.Host, h => h.RemoveAsync(s.Vm.Ref(), seen: null, DiskFate.Delete, ct), ct);
}

using ControlPlane.Domain;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.PciDevices;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration.VirtualMachines;

/// <summary>What the power sagas know: the VM as it was accepted.</summary>
/// <param name="Force">Stop: pull the plug when the guest is not off in time.</param>
/// <param name="Timeout">Stop: the guest's time to power off; zero: it is not asked.</param>
public sealed record PowerState(VirtualMachine Vm, bool Force = false, TimeSpan Timeout = default);

/// <summary>Starts a stopped VM on the host that holds its claims. Its devices are handed over again: the host may have rebooted meanwhile.</summary>
internal sealed class StartVirtualMachineSaga(
    HostConnections hosts, DeviceSteps devices, DomainDefinitions definitions, VmRecords records, OperationRecords operations)
    : OperationSaga<PowerState>(operations)
{
    public const string KindName = "vm.start";

    public override string Kind => KindName;

    protected override void Define(SagaPlan<PowerState> plan) => plan
        .Step("prepare-devices", PrepareDevices, undo: NothingToUndo, when: s => s.Vm.Attachments.Count > 0)  // they stay the VM's
        .Step("start-domain", StartDomain, undo: DestroyDomain);

    protected override ProjectId? ProjectOf(PowerState s) => s.Vm.Project;

    protected override void Succeeded(WriteUnit unit, PowerState s, SagaEnd end) => records.Settle(unit, s.Vm.WithPlugged(true), VmCommand.Started, end);

    protected override void Undone(WriteUnit unit, PowerState s, SagaFailure failure, SagaEnd end) => records.Settle(unit, s.Vm, VmCommand.Stopped, end);

    private async Task<StepOutcome<PowerState>> PrepareDevices(PowerState s, StepContext context, CancellationToken ct)
    {
        var prepared = await devices.PrepareAsync(s.Vm, s.Vm.Host!.Value, s.Vm.Attachments, ct);
        return prepared.Match(unit => Done(s, unit), HypervisorFaults.ToOutcome<PowerState>);
    }

    private Task<StepOutcome<PowerState>> StartDomain(PowerState s, StepContext context, CancellationToken ct) =>
        hosts.ActAsync(s, s.Vm.Host, h => h.BootAsync(definitions.Define(s.Vm, s.Vm.Generation, s.Vm.Attachments), ct), ct);

    private Task<StepOutcome<PowerState>> DestroyDomain(PowerState s, StepContext context, CancellationToken ct) =>
        hosts.ActAsync(s, s.Vm.Host, h => h.DestroyAsync(s.Vm.Ref(), ct), ct);
}

/// <summary>Powers a guest off. One that does not listen keeps running, unless the caller forces it.</summary>
internal sealed class StopVirtualMachineSaga(HostConnections hosts, VmRecords records, OperationRecords operations)
    : OperationSaga<PowerState>(operations)
{
    public const string KindName = "vm.stop";

    public override string Kind => KindName;

    protected override void Define(SagaPlan<PowerState> plan) => plan
        .Step("shut-down-guest", ShutDownGuest, undo: StartAgain, when: s => s.Timeout > TimeSpan.Zero)
        .PointOfNoReturn()
        .ForwardStep("destroy-domain", DestroyDomain);

    protected override ProjectId? ProjectOf(PowerState s) => s.Vm.Project;

    protected override void Succeeded(WriteUnit unit, PowerState s, SagaEnd end) => records.Settle(unit, s.Vm, VmCommand.Stopped, end);

    protected override void Undone(WriteUnit unit, PowerState s, SagaFailure failure, SagaEnd end) => records.Settle(unit, s.Vm, VmCommand.Started, end);

    private async Task<StepOutcome<PowerState>> ShutDownGuest(PowerState s, StepContext context, CancellationToken ct)
    {
        var opened = await hosts.OpenAsync(s.Vm.Host!.Value, ct);
        if (!opened.TryGet(out var hypervisor, out var fault))
            return fault.ToOutcome<PowerState>();
        var asked = await hypervisor.ShutdownAsync(s.Vm.Ref(), s.Timeout, ct);
        if (!asked.TryGet(out var off, out fault))
            return fault.ToOutcome<PowerState>();
        return off || s.Force
            ? Done(s)
            : Fail(new SagaFailure("guest-did-not-stop", $"The guest did not power off within {s.Timeout.TotalSeconds:0.#} s; it runs on. Stop it with force to pull the plug."));
    }

    /// <summary>A stop that was taken back leaves the guest running, also when it had just powered off; to start what runs changes nothing.</summary>
    private Task<StepOutcome<PowerState>> StartAgain(PowerState s, StepContext context, CancellationToken ct) =>
        hosts.ActAsync(s, s.Vm.Host, h => h.StartAsync(s.Vm.Ref(), ct), ct);

    /// <summary>Also for a guest that is off by itself: to destroy what is off changes nothing.</summary>
    private Task<StepOutcome<PowerState>> DestroyDomain(PowerState s, StepContext context, CancellationToken ct) =>
        hosts.ActAsync(s, s.Vm.Host, h => h.DestroyAsync(s.Vm.Ref(), ct), ct);
}

/// <summary>One call to the host and no more: reboot, pause, resume. The undo is for an answer that was lost: it puts the guest back.</summary>
internal abstract class SwitchSaga(
    string kind, string step, SwitchSaga.Call act, SwitchSaga.Call? takeBack, VmCommand done, VmCommand undone, HostConnections hosts,
    VmRecords records, OperationRecords operations) : OperationSaga<PowerState>(operations)
{
    internal delegate Task<Outcome<Done>> Call(IHypervisor hypervisor, DomainRef domain, CancellationToken ct);

    public sealed override string Kind => kind;

    protected sealed override void Define(SagaPlan<PowerState> plan) => plan.Step(
        step, (s, _, ct) => hosts.ActAsync(s, s.Vm.Host, h => act(h, s.Vm.Ref(), ct), ct),
        undo: takeBack is null ? NothingToUndo : (s, _, ct) => hosts.ActAsync(s, s.Vm.Host, h => takeBack(h, s.Vm.Ref(), ct), ct));

    protected sealed override ProjectId? ProjectOf(PowerState s) => s.Vm.Project;

    protected sealed override void Succeeded(WriteUnit unit, PowerState s, SagaEnd end) => records.Settle(unit, s.Vm, done, end);

    protected sealed override void Undone(WriteUnit unit, PowerState s, SagaFailure failure, SagaEnd end) => records.Settle(unit, s.Vm, undone, end);
}

internal sealed class RebootVirtualMachineSaga(HostConnections hosts, VmRecords records, OperationRecords operations)
    : SwitchSaga(KindName, "reboot-guest", (h, d, ct) => h.RebootAsync(d, ct), null, VmCommand.Started, VmCommand.Started, hosts, records, operations)
{
    public const string KindName = "vm.reboot";
}

internal sealed class PauseVirtualMachineSaga(HostConnections hosts, VmRecords records, OperationRecords operations)
    : SwitchSaga(
        KindName, "pause-guest", (h, d, ct) => h.PauseAsync(d, ct), (h, d, ct) => h.ResumeAsync(d, ct), VmCommand.Paused, VmCommand.Resumed,
        hosts, records, operations)
{
    public const string KindName = "vm.pause";
}

internal sealed class ResumeVirtualMachineSaga(HostConnections hosts, VmRecords records, OperationRecords operations)
    : SwitchSaga(
        KindName, "resume-guest", (h, d, ct) => h.ResumeAsync(d, ct), (h, d, ct) => h.PauseAsync(d, ct), VmCommand.Resumed, VmCommand.Paused,
        hosts, records, operations)
{
    public const string KindName = "vm.resume";
}

using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.PciDevices;
using ControlPlane.Orchestration.Placements;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration.VirtualMachines;

/// <summary>What hot-plug and hot-unplug know: the VM before and after, and what is on its way.</summary>
/// <param name="Before">As accepted.</param>
/// <param name="After">As it is to be: spec, interfaces and attachments with the change made.</param>
/// <param name="Interface">The interface that comes or goes; null for a device request.</param>
/// <param name="Devices">The functions that come or go.</param>
/// <param name="Deadline">Hot-unplug: each device's time for the guest's acknowledgement.</param>
public sealed record PlugState(
    VirtualMachine Before, VirtualMachine After, VmInterface? Interface, IReadOnlyList<DeviceAttachment> Devices, TimeSpan Deadline)
{
    internal bool HasVirtio => Interface?.VirtioAddress is not null;
}

/// <summary>Adds an interface or a device request to a VM, running or stopped. Its claims were committed when it was accepted.</summary>
internal abstract class AttachSaga(
    string kind, HostConnections hosts, DeviceSteps devices, DomainDefinitions definitions, VmRecords records, OperationRecords operations)
    : OperationSaga<PlugState>(operations)
{
    public sealed override string Kind => kind;

    protected override void Define(SagaPlan<PlugState> plan) => plan
        .Step("prepare-devices", PrepareDevices, undo: CleanDevices, when: s => s.Devices.Count > 0)
        .Step("plug-devices", PlugDevices, undo: UnplugDevices, when: s => s.Devices.Count > 0);

    /// <summary>The virtio device comes first, so that a failover pair finds its standby there.</summary>
    protected void DefineWithInterface(SagaPlan<PlugState> plan) => plan
        .Step("prepare-devices", PrepareDevices, undo: CleanDevices, when: s => s.Devices.Count > 0)
        .Step("plug-interface", PlugInterface, undo: UnplugInterface, when: s => s.HasVirtio)
        .Step("plug-devices", PlugDevices, undo: UnplugDevices, when: s => s.Devices.Count > 0);

    protected sealed override ProjectId? ProjectOf(PlugState s) => s.Before.Project;

    protected sealed override void Succeeded(WriteUnit unit, PlugState s, SagaEnd end) => records.Reconfigured(unit, s.After.WithPlugged(true), end);

    protected sealed override void Undone(WriteUnit unit, PlugState s, SagaFailure failure, SagaEnd end) => records.ReconfigurationUndone(unit, s, end);

    private async Task<StepOutcome<PlugState>> PrepareDevices(PlugState s, StepContext context, CancellationToken ct)
    {
        var prepared = await devices.PrepareAsync(s.After, s.After.Host!.Value, s.Devices, ct);
        return prepared.Match(unit => Done(s, unit), HypervisorFaults.ToOutcome<PlugState>);
    }

    private async Task<StepOutcome<PlugState>> CleanDevices(PlugState s, StepContext context, CancellationToken ct)
    {
        var cleaned = await devices.CleanNamedAsync(s.After.Id, s.After.Host!.Value, s.Devices, ct);
        return cleaned.Match(unit => Done(s, unit), HypervisorFaults.ToOutcome<PlugState>);
    }

    private Task<StepOutcome<PlugState>> PlugInterface(PlugState s, StepContext context, CancellationToken ct) =>
        hosts.ActAsync(s, s.After.Host, h => h.PlugInterfaceAsync(s.Before.Ref(), definitions.Virtio(s.Interface!)!, ct), ct);

    private Task<StepOutcome<PlugState>> UnplugInterface(PlugState s, StepContext context, CancellationToken ct) =>
        hosts.ActAsync(s, s.After.Host, async h => Settled(await h.UnplugInterfaceAsync(s.Before.Ref(), s.Interface!.Name, s.Deadline, ct), s.Interface.Name), ct);

    private Task<StepOutcome<PlugState>> PlugDevices(PlugState s, StepContext context, CancellationToken ct) =>
        hosts.ActAsync(s, s.After.Host, async h =>
        {
            foreach (var device in s.Devices)
                if ((await h.PlugAsync(s.Before.Ref(), definitions.Device(s.After, device), ct)).Fault is { } fault)
                    return fault;
            return default(Done);
        }, ct);

    /// <summary>A guest that will not let go of what it just got leaves the saga stuck: nothing may be cleaned under its feet.</summary>
    private Task<StepOutcome<PlugState>> UnplugDevices(PlugState s, StepContext context, CancellationToken ct) =>
        hosts.ActAsync(s, s.After.Host, async h =>
        {
            foreach (var device in s.Devices)
                if (Settled(await h.UnplugAsync(s.Before.Ref(), device.Name, s.Deadline, ct), device.Name).Fault is { } fault)
                    return fault;
            return default(Done);
        }, ct);

    internal static Outcome<Done> Settled(Outcome<UnplugResult> unplugged, string name) => unplugged.Then<Done>(result => result switch
    {
        UnplugResult.Unplugged => default(Done),
        UnplugResult.Refused => Fault.Conflict("guest-refused-unplug", $"The guest refused to let '{name}' go."),
        _ => Fault.Conflict("unplug-timed-out", $"The guest did not acknowledge the unplug of '{name}' in time."),
    });
}

internal sealed class AttachDeviceSaga(
    HostConnections hosts, DeviceSteps devices, DomainDefinitions definitions, VmRecords records, OperationRecords operations)
    : AttachSaga(KindName, hosts, devices, definitions, records, operations)
{
    public const string KindName = "vm.attach-device";
}

internal sealed class AttachInterfaceSaga(
    HostConnections hosts, DeviceSteps devices, DomainDefinitions definitions, VmRecords records, OperationRecords operations)
    : AttachSaga(KindName, hosts, devices, definitions, records, operations)
{
    public const string KindName = "vm.attach-interface";

    protected override void Define(SagaPlan<PlugState> plan) => DefineWithInterface(plan);
}

/// <summary>
/// Takes an interface or a device request out of a VM. A guest that does not let go keeps it; once it is out there is no way back, and
/// the device goes home through its proof.
/// </summary>
internal abstract class DetachSaga(
    string kind, HostConnections hosts, DeviceSteps devices, DomainDefinitions definitions, VmRecords records, OperationRecords operations)
    : OperationSaga<PlugState>(operations)
{
    public sealed override string Kind => kind;

    protected override void Define(SagaPlan<PlugState> plan) => plan
        .Step("unplug-devices", UnplugDevices, undo: ReplugDevices, when: s => s.Devices.Count > 0)
        .PointOfNoReturn()
        .ForwardStep("clean-devices", CleanDevices);

    /// <summary>The virtio device goes last, so that a failover pair keeps its standby as long as it has its function.</summary>
    protected void DefineWithInterface(SagaPlan<PlugState> plan) => plan
        .Step("unplug-devices", UnplugDevices, undo: ReplugDevices, when: s => s.Devices.Count > 0)
        .Step("unplug-interface", UnplugInterface, undo: ReplugInterface, when: s => s.HasVirtio)
        .PointOfNoReturn()
        .ForwardStep("clean-devices", CleanDevices);

    protected sealed override ProjectId? ProjectOf(PlugState s) => s.Before.Project;

    protected sealed override void Succeeded(WriteUnit unit, PlugState s, SagaEnd end) => records.Detached(unit, s, end);

    protected sealed override void Undone(WriteUnit unit, PlugState s, SagaFailure failure, SagaEnd end) => records.Reconfigured(unit, s.Before, end);

    private Task<StepOutcome<PlugState>> UnplugDevices(PlugState s, StepContext context, CancellationToken ct) =>
        hosts.ActAsync(s, s.Before.Host, async h =>
        {
            foreach (var device in s.Devices)
                if (AttachSaga.Settled(await h.UnplugAsync(s.Before.Ref(), device.Name, s.Deadline, ct), device.Name).Fault is { } fault)
                    return fault;
            return default(Done);
        }, ct);

    private Task<StepOutcome<PlugState>> ReplugDevices(PlugState s, StepContext context, CancellationToken ct) =>
        hosts.ActAsync(s, s.Before.Host, async h =>
        {
            foreach (var device in s.Devices)
                if ((await h.PlugAsync(s.Before.Ref(), definitions.Device(s.Before, device), ct)).Fault is { } fault)
                    return fault;
            return default(Done);
        }, ct);

    private Task<StepOutcome<PlugState>> UnplugInterface(PlugState s, StepContext context, CancellationToken ct) =>
        hosts.ActAsync(s, s.Before.Host, async h => AttachSaga.Settled(await h.UnplugInterfaceAsync(s.Before.Ref(), s.Interface!.Name, s.Deadline, ct), s.Interface.Name), ct);

    private Task<StepOutcome<PlugState>> ReplugInterface(PlugState s, StepContext context, CancellationToken ct) =>
        hosts.ActAsync(s, s.Before.Host, h => h.PlugInterfaceAsync(s.Before.Ref(), definitions.Virtio(s.Interface!)!, ct), ct);

    private async Task<StepOutcome<PlugState>> CleanDevices(PlugState s, StepContext context, CancellationToken ct)
    {
        var cleaned = await devices.CleanNamedAsync(s.Before.Id, s.Before.Host!.Value, s.Devices, ct);
        return cleaned.Match(unit => Done(s, unit), HypervisorFaults.ToOutcome<PlugState>);
    }
}

internal sealed class DetachDeviceSaga(
    HostConnections hosts, DeviceSteps devices, DomainDefinitions definitions, VmRecords records, OperationRecords operations)
    : DetachSaga(KindName, hosts, devices, definitions, records, operations)
{
    public const string KindName = "vm.detach-device";
}

internal sealed class DetachInterfaceSaga(
    HostConnections hosts, DeviceSteps devices, DomainDefinitions definitions, VmRecords records, OperationRecords operations)
    : DetachSaga(KindName, hosts, devices, definitions, records, operations)
{
    public const string KindName = "vm.detach-interface";

    protected override void Define(SagaPlan<PlugState> plan) => DefineWithInterface(plan);
}

using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.PciDevices;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration.Migrations;

/// <summary>
/// Moves a running VM whose passthrough devices cannot all travel: the guest falls back to its virtio standbys while the source's
/// functions are unplugged, its memory is copied until the VMM holds before the switch-over, and equal functions are plugged on the
/// target under the same MAC and guest address. Until the point of no return every step is taken back; after it the saga asks where
/// the guest runs and finishes for that host.
/// </summary>
internal sealed class LiveMigrateSaga(
    HostConnections hosts, MigrationTarget targets, DeviceTravel travel, DeviceSteps devices, MemoryCopy copy, MigrationRecords records,
    OperationRecords operations) : OperationSaga<MigrationProgress>(operations)
{
    public const string KindName = "vm.migrate";

    public override string Kind => KindName;

    protected override void Define(SagaPlan<MigrationProgress> plan) => plan
        .TimeLimit(s => s.Request.Timeout)
        .Step("reserve-target", targets.ReserveAsync, undo: targets.ReleaseAsync)       // capacity and equivalent devices, one transaction
        .Step("prepare-target", PrepareTarget, undo: targets.DiscardAsync)             // devices bound, a VMM listens
        .Step("raise-standby", travel.RaiseStandbyAsync, undo: travel.LowerStandbyAsync, when: s => s.Devices.Any(d => d.Method == DeviceMethod.Failover))
        .Step("unplug-source", travel.UnplugAsync, undo: travel.ReplugSourceAsync, when: s => s.Devices.Any(d => d.LeavesGuest))
        .Step("copy-memory", copy.CopyAsync, undo: copy.AbortAsync)                     // parks until the VMM holds
        .PointOfNoReturn()                                                              // below, only forward
        .ForwardStep("switch-over", SwitchOver)                                         // ownership of the VM moves, one transaction
        .ForwardStep("replug-target", travel.ReplugAsync, when: s => s.Devices.Count > 0)
        .ForwardStep("release-source", targets.LeaveAsync);                             // devices drain, clean, prove, free

    protected override ProjectId? ProjectOf(MigrationProgress s) => s.Vm.Project;

    protected override void Succeeded(WriteUnit unit, MigrationProgress s, SagaEnd end) => records.Arrived(unit, s, end);

    protected override SagaFailure? Verdict(MigrationProgress s) => s.Trouble is null ? null : new SagaFailure("migration-incomplete", s.Trouble);

    protected override void Undone(WriteUnit unit, MigrationProgress s, SagaFailure failure, SagaEnd end) => records.RolledBack(unit, s, failure, end);

    protected override void Stuck(WriteUnit unit, MigrationProgress s, SagaFailure failure, SagaEnd end) => records.Stuck(unit, s, failure, end);

    private async Task<StepOutcome<MigrationProgress>> PrepareTarget(MigrationProgress s, StepContext context, CancellationToken ct)
    {
        var target = s.Target!.Value;
        var prepared = await devices.PrepareAsync(s.Vm, target, s.TargetAttachments, ct);
        if (!prepared.TryGet(out var unit, out var fault))
            return fault.ToOutcome<MigrationProgress>();
        var opened = await hosts.OpenAsync(target, ct);
        if (!opened.TryGet(out var hypervisor, out fault))
            return fault.ToOutcome<MigrationProgress>();
        var listening = await hypervisor.Migration.PrepareIncomingAsync(travel.IncomingDefinition(s), ct);
        return listening.Match(incoming => Done(s with { Incoming = incoming }, unit), HypervisorFaults.ToOutcome<MigrationProgress>);
    }

    private async Task<StepOutcome<MigrationProgress>> SwitchOver(MigrationProgress s, StepContext context, CancellationToken ct)
    {
        var switched = await copy.SwitchOverAsync(s, ct);
        if (!switched.TryGet(out var landed, out var fault))
            return fault.Code == MigrationFaults.SwitchOverPendingCode ? await copy.UrgeAsync(s, context, ct) : fault.ToOutcome<MigrationProgress>();
        var next = s with { Landed = landed.Where, Transfer = landed.Transfer ?? s.Transfer };
        if (landed.Where == SwitchOverResult.StayedOnSource)
        {
            next = next with { GuestEnded = await targets.HasEndedAsync(s, ct) };
            next = next with { Trouble = MigrationRecords.Stayed(next, landed.WhyStayed(s.Request)) };
        }
        return Done(next, records.SwitchedOver(next, context.Now));
    }
}

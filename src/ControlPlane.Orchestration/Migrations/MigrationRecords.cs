using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Migrations;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration.Migrations;

/// <summary>
/// Writes what a migration is doing, so that anyone can watch: the migration's own row, and the VM as it is at that moment. Both are in
/// the saga's hands until it rests, so its writes need no compare-and-set but the operation's.
/// </summary>
public sealed class MigrationRecords(MigrationStore migrations, VmStore vms, FleetMetrics metrics, Announcements announcements)
{
    internal void Update(WriteUnit unit, MigrationProgress s) => Write(unit, s, MigrationState.Running, null, null);

    internal WriteUnit Copying(MigrationProgress s)
    {
        var unit = new WriteUnit();
        Update(unit, s);
        return unit;
    }

    internal WriteUnit DevicesAway(MigrationProgress s, DateTimeOffset at) => Both(s, away: true, at);

    internal WriteUnit DevicesBack(MigrationProgress s, DateTimeOffset at) => Both(s, away: false, at);

    /// <summary>The one commit in which the VM's host changes.</summary>
    internal WriteUnit SwitchedOver(MigrationProgress s, DateTimeOffset at) => Both(s, away: true, at);

    internal void Arrived(WriteUnit unit, MigrationProgress s, SagaEnd end)
    {
        var state = s.Landed == SwitchOverResult.StayedOnSource ? MigrationState.RolledBack
            : s.Trouble is null ? MigrationState.Succeeded : MigrationState.Stuck;
        Write(unit, s, state, s.Trouble, end.At);
        Settle(unit, s, s.Now(away: false), end.At);
    }

    internal void RolledBack(WriteUnit unit, MigrationProgress s, SagaFailure failure, SagaEnd end)
    {
        var state = failure.Code == SagaFailure.Cancelled ? MigrationState.Cancelled : MigrationState.RolledBack;
        Write(unit, s, state, Stayed(s, failure.Message), end.At);
        Settle(unit, s, s.Now(away: false), end.At);
    }

    internal void Stuck(WriteUnit unit, MigrationProgress s, SagaFailure failure, SagaEnd end) =>
        Write(unit, s, MigrationState.Stuck, failure.Message, end.At);

    /// <summary>What a migration that brought the guest nowhere says of it.</summary>
    internal static string Stayed(MigrationProgress s, string why) =>
        s.GuestEnded ? $"{why} The guest has ended on the source: the VM is stopped."
        : s.Landed == SwitchOverResult.StayedOnSource ? $"{why} The VM runs on the source."
        : why;

    private WriteUnit Both(MigrationProgress s, bool away, DateTimeOffset at)
    {
        var unit = new WriteUnit();
        Update(unit, s);
        var vm = s.Now(away) with { Conditions = Conditions(s, away, at), UpdatedAt = at };
        vms.UpdateUnder(unit, s.Record.Operation, vm);
        announcements.VmChanged(unit, vm);
        return unit;
    }

    private void Settle(WriteUnit unit, MigrationProgress s, VirtualMachine vm, DateTimeOffset at)
    {
        var state = vm.State.Apply(VmCommand.Migrated).Value;
        var settled = vm with
        {
            State = s.GuestEnded ? state.Apply(VmCommand.Stopped).Value : state,
            Operation = null,
            Conditions = Conditions(s, away: false, at),
            UpdatedAt = at,
        };
        vms.UpdateUnder(unit, s.Record.Operation, settled);
        announcements.VmChanged(unit, settled);
    }

    private void Write(WriteUnit unit, MigrationProgress s, MigrationState state, string? failure, DateTimeOffset? endedAt)
    {
        var record = s.Record with
        {
            Target = s.Target ?? s.Record.Target,
            State = state,
            Devices = s.Report(),
            Transfer = s.Transfer ?? MigrationTransfer.None,
            Failure = failure,
            EndedAt = endedAt,
        };
        migrations.UpdateUnder(unit, record);
        if (endedAt is not null)
            unit.OnCommitted(() => metrics.MigrationEnded(record));
        announcements.MigrationChanged(unit, record, endedAt);
    }

    /// <summary>One condition for each interface that runs on its standby or is without its function.</summary>
    private static IReadOnlyList<Condition> Conditions(MigrationProgress s, bool away, DateTimeOffset at)
    {
        var others = s.Vm.Conditions.Where(c => c.Type != ConditionTypes.DegradedInterface);
        var degraded = s.Devices.Where(d => d.Lost is not null || (away && d.LeavesGuest)).Select(d => new Condition(
            ConditionTypes.DegradedInterface, true,
            d.Lost is null ? $"'{d.Name}' is away while the VM migrates." : $"'{d.Name}' could not be plugged again: {d.Lost}", at));
        return [.. others, .. degraded];
    }
}

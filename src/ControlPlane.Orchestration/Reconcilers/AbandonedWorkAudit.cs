using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Migrations;
using ControlPlane.Persistence.Operations;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Sagas;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// Finds what work that is over has kept in its hands: VMs, operations, migrations and MAC addresses that nobody would ever let go. Nothing
/// should be; a restored backup, a repair that died with its server, or a bug makes it so.
/// </summary>
internal sealed class AbandonedWorkAudit(
    AbandonedWork work, AbandonedVms abandonedVms, OperationRecords operations, MigrationStore migrations, PostgresSagaStore sagas, VmStore vms,
    UsageStore usage, FindingLog log, BatchingWriter writer, Announcements announcements, ReconcilerOptions options, TimeProvider clock) : IReconciler
{
    private const int BatchMax = 256;

    private const string GivenUp = "abandoned";

    public string Name => "abandoned-work";

    public TimeSpan Every => options.AbandonedEvery;

    public bool OnEveryServer => false;

    public async Task<ReconcileReport> RunAsync(CancellationToken ct)
    {
        var findings = await AuditAsync(ct);
        return new ReconcileReport(findings.Count, findings.Count(f => f.Repaired));
    }

    public async Task<IReadOnlyList<AuditFinding>> AuditAsync(CancellationToken ct)
    {
        var before = clock.GetUtcNow() - options.AbandonedAfter;
        var findings = new List<AuditFinding>();
        foreach (var vm in await work.VmsAsync(before, BatchMax, ct))
            if (log.IsDue(FindingKind.AbandonedVm, vm.Host, vm.Id.ToString()))
                Keep(findings, await abandonedVms.LetGoAsync(vm, ct));
        foreach (var operation in await work.OperationsAsync(before, BatchMax, ct))
            Keep(findings, await EndAsync(operation, ct));
        foreach (var migration in await work.MigrationsAsync(BatchMax, ct))
            Keep(findings, await EndAsync(migration, ct));
        foreach (var mac in await work.MacsAsync(BatchMax, ct))
            Keep(findings, await ReleaseAsync(mac, ct));
        return findings;
    }

    private static void Keep(List<AuditFinding> findings, AuditFinding? finding)
    {
        if (finding is not null)
            findings.Add(finding);
    }

    /// <summary>An operation whose saga is stuck is stuck, too: somebody may act on it. Any other has failed.</summary>
    private async Task<AuditFinding?> EndAsync(Operation operation, CancellationToken ct)
    {
        var saga = await sagas.FindAsync(operation.Id.Value, ct);
        var isStuck = saga?.Status == SagaStatus.Stuck;
        var failure = (isStuck ? saga!.Failure : null) ?? new SagaFailure(GivenUp, "Nothing carried the operation on.");
        var unit = new WriteUnit();
        operations.End(unit, operation.Id, isStuck ? OperationState.Stuck : OperationState.Failed, operation.Project, failure, clock.GetUtcNow());
        return await CommitAsync(unit, new AuditFinding(
            FindingKind.AbandonedOperation, null, operation.Id.ToString(), $"Operation {operation.Kind} {operation.Id} counts as running, and nothing carries it on.",
            isStuck ? "Ended as stuck." : "Ended as failed.", Repaired: true), ct);
    }

    private async Task<AuditFinding?> EndAsync(Migration migration, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var ended = migration with
        {
            State = MigrationState.Stuck, Failure = migration.Failure ?? "Nothing carried the migration on.", EndedAt = now, Generation = migration.Generation.Next(),
        };
        var unit = new WriteUnit();
        migrations.Update(unit, ended, migration.Generation);
        announcements.MigrationChanged(unit, ended, now);
        return await CommitAsync(unit, new AuditFinding(
            FindingKind.AbandonedMigration, null, migration.Id.ToString(), $"Migration {migration.Id} counts as under way, and its operation is over.",
            "Ended.", Repaired: true), ct);
    }

    /// <summary>With a compare-and-set on the VM: an interface of the same name may be on its way in.</summary>
    private async Task<AuditFinding?> ReleaseAsync(MacUse mac, CancellationToken ct)
    {
        var vm = await vms.FindAsync(mac.Vm, ct);
        if (vm is null || vm.Operation is not null || (vm.State != VmState.Failed && vm.Interfaces.Any(i => i.Name == mac.Interface)))
            return null;
        var unit = new WriteUnit();
        usage.RemoveMac(unit, mac.Vm, mac.Interface);
        vms.Update(unit, vm with { Generation = vm.Generation.Next() }, vm.Generation);
        return await CommitAsync(unit, new AuditFinding(
            FindingKind.StrayMac, null, mac.Mac.ToString(), $"{mac.Mac} is taken for '{mac.Interface}' of VM '{vm.Name}', which has no such interface.",
            "Given back.", Repaired: true), ct);
    }

    private async Task<AuditFinding?> CommitAsync(WriteUnit unit, AuditFinding finding, CancellationToken ct)
    {
        log.Add(unit, finding);
        return (await writer.CommitAsync(unit, ct)).Succeeded ? finding : null;
    }
}

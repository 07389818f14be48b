using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Operations;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Migrations;
using ControlPlane.Persistence.Operations;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// Resumes operations that got stuck because a host, or the database, did not answer, once it does again. What is stuck for another
/// reason waits for an operator.
/// </summary>
internal sealed class StuckOperations(
    OperationStore operations, MigrationStore migrations, VmStore vms, HostStore hosts, SagaRunner runner, Announcements announcements,
    ReconcilerOptions options, TimeProvider clock) : IReconciler
{
    /// <summary>Failures that say nothing but that an answer did not come.</summary>
    private static readonly HashSet<string> Silences = new(StringComparer.Ordinal)
    {
        "host-unavailable", "target-unavailable", "answer-lost", SagaFailure.Transient, WriteFaults.DatabaseUnavailableCode, WriteFaults.DatabaseBusyCode,
    };

    public string Name => "stuck-operations";

    public TimeSpan Every => options.StuckEvery;

    public bool OnEveryServer => false;

    /// <summary>Those whose hosts all answer, after a while: a host may be there and one call to it fail again and again.</summary>
    public async Task<ReconcileReport> RunAsync(CancellationToken ct)
    {
        var before = clock.GetUtcNow() - options.ResumeAfter;
        var down = (await hosts.AllAsync(ct)).Where(h => h.State is HostState.Down or HostState.Connecting).Select(h => h.Id).ToHashSet();
        var (examined, resumed) = (0, 0);
        foreach (var operation in await SilencedAsync(ct))
        {
            examined++;
            if (operation.EndedAt <= before && !(await HostsOfAsync(operation, ct)).Any(down.Contains) && await ResumeAsync(operation, ct))
                resumed++;
        }
        return new ReconcileReport(examined, resumed);
    }

    /// <summary>Those that have to do with a host that has just answered again.</summary>
    public async Task ResumeOfAsync(HostId host, CancellationToken ct)
    {
        foreach (var operation in await SilencedAsync(ct))
            if ((await HostsOfAsync(operation, ct)).Contains(host))
                await ResumeAsync(operation, ct);
    }

    private async Task<IReadOnlyList<Operation>> SilencedAsync(CancellationToken ct)
    {
        var found = new List<Operation>();
        string? token = null;
        do
        {
            var page = (await operations.ListAsync(new OperationFilter(State: OperationState.Stuck), new PageRequest(PageRequest.LimitMax, token), ct)).Value;
            found.AddRange(page.Items.Where(o => o.ErrorCode is { } code && Silences.Contains(code)));
            token = page.NextPageToken;
        }
        while (token is not null);
        return found;
    }

    private async Task<IReadOnlySet<HostId>> HostsOfAsync(Operation operation, CancellationToken ct)
    {
        if (operation.Target.Kind == "host")
            return new HashSet<HostId> { new(operation.Target.Id) };
        var vm = new VmId(operation.Target.Id);
        HostId?[] involved = await migrations.FindActiveAsync(vm, ct) is { } migration
            ? [migration.Source, migration.Target]
            : [(await vms.FindAsync(vm, ct))?.Host];
        return involved.OfType<HostId>().ToHashSet();
    }

    private async Task<bool> ResumeAsync(Operation operation, CancellationToken ct)
    {
        var unit = new WriteUnit();
        operations.Update(unit, operation with { State = OperationState.Running, ErrorCode = null, Error = null, EndedAt = null });
        announcements.OperationChanged(unit, operation.Id, operation.Kind, OperationState.Running, operation.Project, clock.GetUtcNow());
        if (operation.Target.Kind == "vm" && await migrations.FindActiveAsync(new VmId(operation.Target.Id), ct) is { } migration && migration.Operation == operation.Id)
        {
            var running = migration with { State = MigrationState.Running, Failure = null };
            migrations.UpdateUnder(unit, running);
            announcements.MigrationChanged(unit, running, null);
        }
        return await runner.ResumeStuckAsync(operation.Id.Value, unit, ct) == ResumeResult.Resumed;
    }
}

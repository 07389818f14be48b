using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration.Migrations;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Operations;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration.Hosts;

/// <summary>
/// Empties a host: every running VM is migrated, so many at a time; one that no other host can take is stopped if the operator allowed
/// device loss, and otherwise stays, and the drain says so. Stopped VMs stay: they keep their devices, and nothing of them runs. What has
/// moved does not come back, so a drain only goes forward; activating the host ends it.
/// </summary>
internal sealed class DrainHostSaga(
    VmStore vms, OperationStore operationStore, HostStore hosts, HostRecords records, Lazy<DrainMoves> moves, OperationRecords operations)
    : OperationSaga<DrainHostSaga.State>(operations)
{
    public const string KindName = "host.drain";

    /// <summary>How soon a waiting drain looks again; the end of a move wakes it at once where the move ran on this server.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <param name="Asked">VMs that were told to leave, and by which operation; an empty id stands for one that could not be told.</param>
    /// <param name="Stays">VMs that cannot leave, and why.</param>
    /// <param name="Trouble">Why the host is not in maintenance at the end; null: it is.</param>
    public sealed record State(
        HostId Host, bool AllowDeviceLoss, int MaxParallel, IReadOnlyDictionary<VmId, OperationId> Asked, IReadOnlyDictionary<VmId, string> Stays,
        SagaFailure? Trouble = null);

    public override string Kind => KindName;

    protected override void Define(SagaPlan<State> plan) => plan
        .PointOfNoReturn()
        .ForwardStep("move-vms", MoveVms)
        .ForwardStep("enter-maintenance", EnterMaintenance);

    protected override void Succeeded(WriteUnit unit, State s, SagaEnd end)
    {
    }

    protected override SagaFailure? Verdict(State s) => s.Trouble;

    protected override void Undone(WriteUnit unit, State s, SagaFailure failure, SagaEnd end) =>
        throw new InvalidOperationException($"{KindName} has no undo.");

    private async Task<StepOutcome<State>> MoveVms(State s, StepContext context, CancellationToken ct)
    {
        if ((await hosts.FindAsync(s.Host, ct))?.State is not (HostState.Draining or HostState.Maintenance or HostState.Down))
            return Done(s with { Trouble = new SagaFailure("drain-ended", "The host was activated, or removed, while it was being drained.") });
        var here = await vms.ByHostAsync(s.Host, ct);
        var next = s;
        var busy = here.Count(v => v.Operation is not null);
        foreach (var vm in here.Where(v => v.Operation is null && v.State is VmState.Running or VmState.Paused && !s.Stays.ContainsKey(v.Id)))
        {
            if (s.Asked.TryGetValue(vm.Id, out var asked))
            {
                next = Staying(next, vm, await WhyAsync(asked, ct));
                continue;
            }
            if (busy >= s.MaxParallel)
                continue;
            var told = await moves.Value.TellAsync(vm, s.AllowDeviceLoss, context.SagaId, ct);
            if (told.TryGet(out var operation, out var fault))
            {
                busy++;
                next = next with { Asked = new Dictionary<VmId, OperationId>(next.Asked) { [vm.Id] = operation } };
            }
            else if (fault.Kind != FaultKind.Unavailable)
                next = Staying(next, vm, fault.Detail);
        }
        var waiting = here.Any(v => v.Operation is not null || (v.State is VmState.Running or VmState.Paused && !next.Stays.ContainsKey(v.Id)));
        if (waiting)
            return WaitFor(next, LookEvery);
        return next.Stays.Count == 0
            ? Done(next)
            : Done(next with { Trouble = new SagaFailure("drain-incomplete", $"{next.Stays.Count} VMs stay: {string.Join(' ', next.Stays.Values.Take(8))}") });
    }

    /// <summary>A host that could not be emptied stays cordoned with the reason: an operator drains again, or activates it.</summary>
    private async Task<StepOutcome<State>> EnterMaintenance(State s, StepContext context, CancellationToken ct)
    {
        var host = await hosts.FindAsync(s.Host, ct);
        if (host is not { State: HostState.Draining })
            return Done(s);
        var unit = new WriteUnit();
        var state = s.Trouble is null ? host.State.Apply(HostCommand.DrainFinished).Value : host.State;
        records.Write(unit, host, host with { State = state, StateReason = s.Trouble?.Message }, context.Now);
        return Done(s, unit);
    }

    /// <summary>A VM that was told to leave, is at rest and still runs here was rolled back: its operation says why.</summary>
    private async Task<string> WhyAsync(OperationId asked, CancellationToken ct) =>
        (await operationStore.FindAsync(asked, ct))?.Error ?? "its move ended without a reason";

    private static State Staying(State s, VirtualMachine vm, string why) =>
        s with { Stays = new Dictionary<VmId, string>(s.Stays) { [vm.Id] = $"'{vm.Name}': {why}" } };
}

/// <summary>Tells one VM to leave its host, in the gentlest way that works.</summary>
public sealed class DrainMoves(MigrationStarter migrations, VmStore vms, OperationStarter starter, Announcements announcements, Lazy<SagaRunner> runner)
{
    /// <param name="drain">The saga that waits for the move.</param>
    public async Task<Outcome<OperationId>> TellAsync(VirtualMachine vm, bool allowDeviceLoss, Guid drain, CancellationToken ct)
    {
        var moved = await migrations.StartAsync(vm, MigrationRequest.Default, context: null, ct);
        if (moved.TryGet(out var migration, out var fault))
        {
            WakeAtRest(migration.Operation, drain);
            return migration.Operation;
        }
        return allowDeviceLoss && fault.Kind != FaultKind.Unavailable ? await StopAsync(vm, drain, ct) : fault;
    }

    private async Task<Outcome<OperationId>> StopAsync(VirtualMachine vm, Guid drain, CancellationToken ct)
    {
        var accepted = VmOperations.Accept(vm, VmCommand.Stop, starter.NextId(), starter.Now, null);
        if (!accepted.TryGet(out var next, out var fault))
            return fault;
        var unit = new WriteUnit();
        vms.Update(unit, next, vm.Generation);
        announcements.VmChanged(unit, next);
        var grace = vm.State == VmState.Paused ? TimeSpan.Zero : TimeSpan.FromSeconds(60);
        var started = await starter.StartAsync(
            unit, next.Operation!.Value, StopVirtualMachineSaga.KindName, new OperationTarget("vm", vm.Id.Value), vm.Project,
            new PowerState(next, Force: true, grace), context: null, ct);
        return started.Map(o =>
        {
            WakeAtRest(o.Id, drain);
            return o.Id;
        });
    }

    private void WakeAtRest(OperationId move, Guid drain) =>
        _ = runner.Value.WhenAtRestAsync(move.Value, CancellationToken.None).ContinueWith(
            _ => runner.Value.Wake(drain), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}

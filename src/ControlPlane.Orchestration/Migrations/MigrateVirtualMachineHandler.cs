using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.Claims;
using ControlPlane.Orchestration.PciDevices;
using ControlPlane.Orchestration.Placements;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Migrations;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Persistence.Writing;
using ControlPlane.Scheduling;
using ControlPlane.Scheduling.Placements;

namespace ControlPlane.Orchestration.Migrations;

/// <summary>
/// Plans a migration in full before anything moves: where to, how each device comes along, how long it should take and how long each
/// interface should be silent. A plan that breaks the caller's budget is refused; a dry run ends here.
/// </summary>
public sealed class MigrateVirtualMachineHandler(MigrationStarter starter, FleetDirectory directory, VmStore vms, MutationContext context)
{
    public async Task<Outcome<Migration>> HandleAsync(MigrateVirtualMachine command, CancellationToken ct)
    {
        if (Check(command.Request) is { } invalid)
            return invalid;
        HostId? target = null;
        if (command.TargetHost is { } named)
        {
            target = directory.FindHost(named)?.Id;
            if (target is null)
                return Fault.Field(FaultKind.Impossible, "targetHost", $"there is no host '{named}'.");
        }
        var vm = await vms.FindAsync(command.Vm, ct);
        if (vm is null)
            return Fault.NotFound("vm", command.Vm.ToString());
        if (target is not null && target == vm.Host)
            return Fault.Conflict("same-host", $"VM '{vm.Name}' is on that host already.");
        return await starter.StartAsync(vm, command.Request with { Target = target }, context, ct);
    }

    private static Fault? Check(MigrationRequest request)
    {
        var errors = new FieldErrors();
        if (request.BandwidthMiBPerSecond is { } bandwidth)
            errors.Range("bandwidthMiBPerSecond", bandwidth, 1, 1024 * 1024);
        errors.Range("downtimeLimitMilliseconds", (long)request.DowntimeLimit.TotalMilliseconds, 1, 2_000_000);
        errors.Range("timeoutSeconds", (long)request.Timeout.TotalSeconds, 1, 7 * 24 * 3600);
        errors.Range("unplugTimeoutSeconds", (long)request.UnplugTimeout.TotalSeconds, 1, 3600);
        if (request.MaxInterfaceGap is { } gap)
            errors.Range("maxInterfaceGapMilliseconds", (long)gap.TotalMilliseconds, 0, 3_600_000);
        return errors.Any ? errors.ToFault() : null;
    }
}

/// <summary>Plans and starts migrations: for callers, and for a drain.</summary>
public sealed class MigrationStarter(
    MigrationTarget targets, DeviceSteps devices, FleetSnapshot fleet, VmStore vms, MigrationStore migrations,
    OperationStarter starter, HostConnections hosts, IIdSource ids, Announcements announcements)
{
    public async Task<Outcome<Migration>> StartAsync(VirtualMachine vm, MigrationRequest request, MutationContext? context, CancellationToken ct)
    {
        var operation = starter.NextId();
        var accepted = VmOperations.Accept(vm, VmCommand.Migrate, operation, starter.Now, null);
        if (!accepted.TryGet(out var next, out var fault))
            return fault;
        var planned = await PlanAsync(next, request, operation, ct);
        if (!planned.TryGet(out var progress, out fault))
            return fault;
        if (OverBudget(progress.Record) is { } over)
            return over;
        if (request.DryRun)
            return progress.Record with { State = MigrationState.Planned };

        var unit = new WriteUnit();
        vms.Update(unit, next, vm.Generation);
        migrations.Insert(unit, progress.Record);
        announcements.VmChanged(unit, next);
        announcements.MigrationChanged(unit, progress.Record, starter.Now);
        var started = await starter.StartAsync(
            unit, operation, LiveMigrateSaga.KindName, new OperationTarget("vm", vm.Id.Value), vm.Project, progress, context, ct);
        return started.Map(_ => progress.Record);
    }

    private async Task<Outcome<MigrationProgress>> PlanAsync(VirtualMachine vm, MigrationRequest request, OperationId operation, CancellationToken ct)
    {
        var owned = await devices.OwnedAsync(vm.Id, vm.Host!.Value, ct);
        var wanted = targets.Request(vm, owned, request.Target);
        if (!wanted.TryGet(out var placementRequest, out var fault))
            return fault;
        if (fleet.Place(placementRequest) is not { } placement)
            return PlacementFaults.NoPlacement(fleet.Explain(placementRequest));
        var travelling = await targets.PlanAsync(vm, request.DeviceMethod, owned, placement, ct);
        if (!travelling.TryGet(out var travellers, out fault))
            return fault;
        var record = new Migration(
            new MigrationId(ids.Next()), vm.Id, vm.Project, vm.Host.Value, placement.Host, MigrationState.Running, operation, request, [],
            MigrationTransfer.None, null, null, new Generation(1), starter.Now, null);
        var progress = new MigrationProgress(record, vm, travellers);
        var history = await migrations.HistoryAsync(MigrationEstimator.HistoryLength, ct);
        var report = progress.Report();
        var load = await LoadAsync(vm, placement.Host, request, report, ct);
        return progress with
        {
            Record = record with { Devices = report, Estimate = MigrationEstimator.Estimate(history, request, vm.Spec.MemoryMiB, report, load) },
        };
    }

    /// <summary>A source that cannot tell now is no reason to refuse: the saga will hear of it, and the estimate looks back instead.</summary>
    private async Task<MigrationLoad?> LoadAsync(
        VirtualMachine vm, HostId target, MigrationRequest request, IReadOnlyList<MigratedDevice> devices, CancellationToken ct)
    {
        if (!(await hosts.OpenAsync(vm.Host!.Value, ct)).TryGet(out var source, out _))
            return null;
        var travelling = devices.Where(d => d.Method == DeviceMethod.Vfio).Select(d => d.Name).ToArray();
        var read = await source.Migration.ReadLoadAsync(vm.Ref(), new CopyIntent(target, request.BandwidthMiBPerSecond, travelling), ct);
        return read.TryGet(out var load, out _) ? load : null;
    }

    private static Fault? OverBudget(Migration planned)
    {
        if (planned.Request.MaxInterfaceGap is not { } budget || planned.Estimate is not { } estimate)
            return null;
        var over = estimate.GapByDevice.Where(g => g.Value > budget).ToList();
        return over.Count == 0 ? null : Fault.Impossible(
            "gap-budget-exceeded",
            string.Join(' ', over.Select(g => $"'{g.Key}' would be silent for about {g.Value.TotalMilliseconds:0} ms; the budget is {budget.TotalMilliseconds:0} ms.")));
    }
}

using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration.Migrations;
using ControlPlane.Orchestration.PciDevices;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Persistence.Writing;
using ControlPlane.Scheduling;
using ControlPlane.Scheduling.Planning;

namespace ControlPlane.Orchestration.Hosts;

/// <summary>Cordons a host and begins to empty it.</summary>
public sealed class DrainHostHandler(HostStore hosts, HostRecords records, OperationStarter starter, MutationContext context)
{
    private const int MaxParallelMax = 32;

    public async Task<Outcome<Operation>> HandleAsync(DrainHost command, CancellationToken ct)
    {
        if (command.MaxParallel is < 1 or > MaxParallelMax)
            return Fault.Field(FaultKind.Impossible, "maxParallel", $"must be from 1 to {MaxParallelMax}, is {command.MaxParallel}.");
        var host = await hosts.FindAsync(command.Host, ct);
        if (host is null)
            return Fault.NotFound("host", command.Host.ToString());
        if (!host.State.Apply(HostCommand.Drain).TryGet(out _, out var fault))
            return fault;
        var unit = new WriteUnit();
        records.Write(unit, host, host with { State = HostState.Draining, StateReason = null, Cordoned = true }, starter.Now);
        return await starter.StartAsync(
            unit, starter.NextId(), DrainHostSaga.KindName, new OperationTarget("host", host.Id.Value), null,
            new DrainHostSaga.State(
                host.Id, command.AllowDeviceLoss, command.MaxParallel, new Dictionary<VmId, OperationId>(), new Dictionary<VmId, string>()),
            context, ct);
    }
}

/// <summary>What a drain would do, without doing it: which VMs move where, which would be stopped, which cannot leave, and why.</summary>
public sealed class PlanDrainHandler(HostStore hosts, VmStore vms, DeviceSteps devices, MigrationTarget targets, FleetSnapshot fleet)
{
    public async Task<Outcome<FleetPlan>> HandleAsync(DrainHost command, CancellationToken ct)
    {
        if (await hosts.FindAsync(command.Host, ct) is null)
            return Fault.NotFound("host", command.Host.ToString());
        var candidates = new List<PlanCandidate>();
        foreach (var vm in await vms.ByHostAsync(command.Host, ct))
        {
            if (vm.State is VmState.Stopped or VmState.Failed or VmState.Deleting)
                continue;
            var request = targets.Request(vm, await devices.OwnedAsync(vm.Id, command.Host, ct), target: null);
            if (!request.TryGet(out var wanted, out var fault))
                return fault;
            var mustStop = vm.State == VmState.Paused ? "it is paused, and a paused guest cannot acknowledge an unplug" : null;
            candidates.Add(new PlanCandidate(vm.Id, vm.Name, wanted, mustStop, []));
        }
        var plan = fleet.PlanDrain(command.Host, candidates, allowDeviceLoss: false);
        return command.AllowDeviceLoss
            ? plan with { Stops = [.. plan.Stops, .. plan.Unplaceable.Select(v => new PlannedStop(v.Vm, v.Name, v.Reason, null))], Unplaceable = [] }
            // Without leave to stop it, what could only be stopped stays, and the plan says no other than the drain will do.
            : plan with
            {
                Stops = [],
                Unplaceable =
                [
                    .. plan.Unplaceable,
                    .. plan.Stops.Select(v => new UnplaceableVm(v.Vm, v.Name, $"{v.Reason} (with allowDeviceLoss it would be stopped)", null)),
                ],
            };
    }
}

using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Operations;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Persistence.Writing;

namespace ControlPlane.Orchestration.Hosts;

/// <summary>The host as registered, and the operation that reads its first inventory.</summary>
public sealed record AcceptedHost(Host Host, Operation Operation);

/// <summary>Registers a host whose backend can be had here; it takes VMs once its first inventory is in.</summary>
public sealed class AddHostHandler(
    HostStore hosts, HostRecords records, OperationStarter starter, IIdSource ids, MutationContext context, BackendCheck backends)
{
    /// <summary>Virtual CPUs per logical CPU where nothing else is said: guests seldom all run at once. Memory is never sold twice.</summary>
    private const double DefaultCpuRatio = 4;

    public async Task<Outcome<AcceptedHost>> HandleAsync(AddHost command, CancellationToken ct)
    {
        var errors = new FieldErrors();
        errors.Label("name", command.Name);
        VmDraftResolver.Labels(errors, "labels", command.Labels);
        if (errors.Any)
            return errors.ToFault();
        if (await backends.CheckAsync(command.Backend, ct) is { } unusable)
            return unusable;
        var now = starter.Now;
        var operation = starter.NextId();
        var host = new Host(
            new HostId(ids.Next()), command.Name!, command.Backend, HostState.Connecting, null, command.Labels, HostCapacity.Unknown,
            CpuModel.Unknown, DefaultCpuRatio, 1, false, null, new Generation(1), null, now, now);
        var unit = new WriteUnit();
        hosts.Insert(unit, host);
        records.Follow(unit, host);
        var started = await starter.StartAsync(
            unit, operation, ConnectHostSaga.KindName, new OperationTarget("host", host.Id.Value), null,
            new ReadInventoryState(host.Id, Activate: false), context, ct);
        return started.Map(accepted => new AcceptedHost(host, accepted));
    }
}

/// <summary>Labels, selling ratios and the cordon. A lower ratio takes nothing away from VMs that are there.</summary>
public sealed class UpdateHostHandler(
    HostStore hosts, UsageStore usage, HostRecords records, BatchingWriter writer, MutationContext context, TimeProvider clock)
{
    private const double RatioMax = 64;

    public async Task<Outcome<Host>> HandleAsync(UpdateHost command, CancellationToken ct)
    {
        var errors = new FieldErrors();
        if (command.Labels is { } labels)
            VmDraftResolver.Labels(errors, "labels", labels);
        if (command.CpuRatio is not (null or (>= 1 and <= RatioMax)))
            errors.Impossible("cpuRatio", $"must be from 1 to {RatioMax}.");
        if (command.MemoryRatio is not (null or (>= 1 and <= RatioMax)))
            errors.Impossible("memoryRatio", $"must be from 1 to {RatioMax}.");
        if (errors.Any)
            return errors.ToFault();
        var host = await hosts.FindAsync(command.Host, ct);
        if (host is null)
            return Fault.NotFound("host", command.Host.ToString());
        if (command.Expected is { } expected && expected != host.Generation)
            return new Fault(FaultKind.Stale, "stale", $"Host '{host.Name}' is at generation {host.Generation}, not {expected}.");
        var unit = new WriteUnit();
        var next = records.Write(unit, host, host with
        {
            Labels = command.Labels ?? host.Labels,
            CpuRatio = command.CpuRatio ?? host.CpuRatio,
            MemoryRatio = command.MemoryRatio ?? host.MemoryRatio,
            Cordoned = command.Cordoned ?? host.Cordoned,
        }, clock.GetUtcNow());
        if (host.Capacity.Vcpus > 0)
            usage.SetSellable(unit, host.Id, HostShare.SellableOf(host.Capacity, next.CpuRatio, next.MemoryRatio));
        context.Attach(unit);
        var committed = await writer.CommitAsync(unit, ct);
        return committed.Map(_ => next);
    }
}

/// <summary>Forgets a host that no VM is on. Its devices' rows go with it; a device that is still owned keeps the host.</summary>
public sealed class RemoveHostHandler(
    HostStore hosts, DeviceStore devices, UsageStore usage, VmStore vms, FleetDirectory directory, Scheduling.FleetSnapshot fleet,
    Hypervisor.IHypervisorFleet hypervisors, BatchingWriter writer, MutationContext context, Announcements announcements)
{
    public async Task<Outcome<Done>> HandleAsync(RemoveHost command, CancellationToken ct)
    {
        var host = await hosts.FindAsync(command.Host, ct);
        if (host is null)
            return Fault.NotFound("host", command.Host.ToString());
        if (command.Expected is { } expected && expected != host.Generation)
            return new Fault(FaultKind.Stale, "stale", $"Host '{host.Name}' is at generation {host.Generation}, not {expected}.");
        var there = await vms.ByHostAsync(host.Id, ct);
        if (there.Count > 0)
            return Fault.Conflict("in-use", $"Host '{host.Name}' has {there.Count} VMs, for instance '{there[0].Name}': drain it or delete them first.");
        var unit = new WriteUnit();
        devices.Forget(unit, host.Id);
        usage.ForgetHost(unit, host.Id);
        hosts.Delete(unit, host.Id, host.Generation);
        announcements.HostRemoved(unit, host);
        context.Attach(unit);
        unit.OnCommitted(() =>
        {
            directory.Remove(host.Id);
            fleet.RemoveHost(host.Id);
        });
        var committed = await writer.CommitAsync(unit, ct);
        if (committed.Succeeded)
            await hypervisors.CloseAsync(host.Id, forget: true, ct);
        return committed;
    }
}

/// <summary>Operations on a host that read its inventory: asked for by an operator, or before it goes back into service.</summary>
public sealed class HostOperations(HostStore hosts, OperationStarter starter, MutationContext context)
{
    public async Task<Outcome<Operation>> ReadInventoryAsync(HostId id, string kind, bool activate, CancellationToken ct)
    {
        var host = await hosts.FindAsync(id, ct);
        if (host is null)
            return Fault.NotFound("host", id.ToString());
        if (activate && host.State.Apply(HostCommand.Activate).Fault is { } illegal)
            return illegal;
        return await starter.StartAsync(
            new WriteUnit(), starter.NextId(), kind, new OperationTarget("host", id.Value), null, new ReadInventoryState(id, activate), context, ct);
    }
}

/// <summary>Reads a host's inventory now instead of at the next tick.</summary>
public sealed class RescanHostHandler(HostOperations operations)
{
    public Task<Outcome<Operation>> HandleAsync(RescanHost command, CancellationToken ct) =>
        operations.ReadInventoryAsync(command.Host, RescanHostSaga.KindName, activate: false, ct);
}

/// <summary>Takes a host back into service once it has shown its inventory; also ends a drain under way.</summary>
public sealed class ActivateHostHandler(HostOperations operations)
{
    public Task<Outcome<Operation>> HandleAsync(ActivateHost command, CancellationToken ct) =>
        operations.ReadInventoryAsync(command.Host, ActivateHostSaga.KindName, activate: true, ct);
}

using ControlPlane.Domain;
using ControlPlane.Hypervisor;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Sagas;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// What a host tells of itself is a hint to look, never the truth: an event may be late, doubled or lost, so what it is about is asked
/// for again, and the operation that waits for it is woken.
/// </summary>
internal sealed partial class HostEvents(
    HostConnections connections, HostStore hosts, VmStore vms, VmAudit vmAudit, HostAudit audit, HostScan scan, SagaRunner runner, TimeProvider clock,
    ILogger<HostEvents> log)
{
    /// <summary>Follows the host's events until their stream ends.</summary>
    /// <param name="mayHaveMissed">There was a stream before, and events may have happened since it ended: the host is looked at as a whole.</param>
    /// <returns>False when there was no stream to follow.</returns>
    public async Task<bool> FollowAsync(HostId host, bool mayHaveMissed, CancellationToken ct)
    {
        try
        {
            var opened = await connections.OpenAsync(host, ct);
            if (!opened.TryGet(out var hypervisor, out _) || !(await hypervisor.PingAsync(ct)).Succeeded)
                return false;
            await ReadAsync(hypervisor, mayHaveMissed, ct);
            return true;
        }
        catch (Exception bug) when (bug is not OperationCanceledException)
        {
            LogFailed(log, bug, host);
            return false;
        }
    }

    private async Task ReadAsync(IHypervisor hypervisor, bool mayHaveMissed, CancellationToken ct)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await using var stream = hypervisor.WatchAsync(ending.Token).GetAsyncEnumerator(ending.Token);
        var next = stream.MoveNextAsync().AsTask();
        try
        {
            if (mayHaveMissed)
                await LookAsync(hypervisor.Host, ct); // After the stream has begun, so that nothing falls between the two.
            var scannedAt = DateTimeOffset.MinValue;
            while (await next)
            {
                scannedAt = await HandleAsync(hypervisor, stream.Current, scannedAt, ct);
                next = stream.MoveNextAsync().AsTask();
            }
        }
        finally
        {
            // A stream may only be closed when nobody waits for its next event.
            await ending.CancelAsync();
            await next.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async Task LookAsync(HostId id, CancellationToken ct)
    {
        foreach (var vm in await vms.ByHostAsync(id, ct))
            if (vm.Operation is { } operation)
                runner.Wake(operation.Value);
        if (await hosts.FindAsync(id, ct) is { State: not Domain.Hosts.HostState.Down } host)
            await audit.RunAsync(host, ct);
    }

    /// <returns>When the host's inventory was last read for an event's sake: one reading answers all events before it.</returns>
    private async Task<DateTimeOffset> HandleAsync(IHypervisor hypervisor, HypervisorEvent happened, DateTimeOffset scannedAt, CancellationToken ct)
    {
        switch (happened)
        {
            case HypervisorEvent.InventoryChanged when happened.At >= scannedAt:
                scannedAt = clock.GetUtcNow();
                await scan.RunAsync(hypervisor.Host, hypervisor, ct);
                break;
            case HypervisorEvent.DomainChanged domain when await AtRestAsync(domain.Vm, ct) is { } vm:
                await vmAudit.FollowGuestAsync(vm, hypervisor, ct);
                break;
            case HypervisorEvent.DeviceGone device when await AtRestAsync(device.Vm, ct) is not null:
                await vmAudit.RunAsync(device.Vm, hypervisor, ct);
                break;
            case HypervisorEvent.CopyChanged copy:
                await AtRestAsync(copy.Vm, ct);
                break;
        }
        return scannedAt;
    }

    /// <summary>The VM when no operation holds it; an operation that does is woken: what it waits for may have happened.</summary>
    private async Task<Domain.VirtualMachines.VirtualMachine?> AtRestAsync(VmId id, CancellationToken ct)
    {
        var vm = await vms.FindAsync(id, ct);
        if (vm?.Operation is not { } operation)
            return vm;
        runner.Wake(operation.Value);
        return null;
    }

    [LoggerMessage(1, LogLevel.Error, "Following the events of host {Host} failed; it is tried again")]
    private static partial void LogFailed(ILogger log, Exception bug, HostId host);
}

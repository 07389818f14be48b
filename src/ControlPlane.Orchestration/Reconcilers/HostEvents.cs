using ControlPlane.Domain;
using ControlPlane.Hypervisor;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// What a host tells of itself is a hint to look, never the truth: an event may be late, doubled or lost, so what it is about is asked
/// for again, and the operation that waits for it is woken.
/// </summary>
internal sealed partial class HostEvents(
    HostConnections connections, HostStore hosts, VmStore vms, VmAudit vmAudit, HostAudit audit, HostScan scan, SagaRunner runner, BatchingWriter writer,
    ReconcilerOptions options, ILogger<HostEvents> log) : IDisposable
{
    /// <summary>A server that starts opens all its streams at once, and a fleet is not looked at all at once.</summary>
    private readonly SemaphoreSlim looking = new(options.HostsAtOnce);

    /// <summary>
    /// Looks at the host as a whole, since events may have happened that nobody heard, and follows its events until their stream ends. What
    /// fails is logged: whoever calls opens the stream again, and the look at the host makes up for what was lost.
    /// </summary>
    public async Task FollowAsync(HostId host, CancellationToken ct)
    {
        try
        {
            var opened = await connections.OpenAsync(host, ct);
            if (opened.TryGet(out var hypervisor, out _) && (await hypervisor.PingAsync(ct)).Succeeded)
                await ReadAsync(hypervisor, ct);
        }
        catch (Exception bug) when (bug is not OperationCanceledException)
        {
            LogFailed(log, bug, host);
        }
    }

    public void Dispose() => looking.Dispose();

    private async Task ReadAsync(IHypervisor hypervisor, CancellationToken ct)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await using var stream = hypervisor.WatchAsync(ending.Token).GetAsyncEnumerator(ending.Token);
        var next = stream.MoveNextAsync().AsTask();
        try
        {
            await LookAsync(hypervisor, ct); // After the stream has begun, so that nothing falls between the two.
            while (await next)
            {
                var happened = stream.Current;
                next = stream.MoveNextAsync().AsTask();
                // One reading answers all news of the inventory that has come by now.
                var isFollowedByLike = happened is HypervisorEvent.InventoryChanged && next is { IsCompletedSuccessfully: true, Result: true }
                    && stream.Current is HypervisorEvent.InventoryChanged;
                if (!isFollowedByLike)
                    await HandleAsync(hypervisor, happened, ct);
            }
        }
        finally
        {
            // A stream may only be closed when nobody waits for its next event.
            await ending.CancelAsync();
            await next.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async Task LookAsync(IHypervisor hypervisor, CancellationToken ct)
    {
        await looking.WaitAsync(ct);
        try
        {
            foreach (var vm in await vms.ByHostAsync(hypervisor.Host, ct))
                if (vm.Operation is { } operation)
                    await WakeAsync(operation, ct);
            if (await AnsweringAsync(hypervisor.Host, ct) is not { } host)
                return;
            await scan.RunAsync(host.Id, ct);
            await audit.RunAsync(host, ct);
        }
        finally
        {
            looking.Release();
        }
    }

    private async Task HandleAsync(IHypervisor hypervisor, HypervisorEvent happened, CancellationToken ct)
    {
        switch (happened)
        {
            case HypervisorEvent.InventoryChanged when await AnsweringAsync(hypervisor.Host, ct) is { } host:
                await scan.RunAsync(host.Id, ct);
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
    }

    /// <summary>The host as recorded; null while it counts as down: to take it back, and all that belongs to it, is the heartbeat's.</summary>
    private async Task<Domain.Hosts.Host?> AnsweringAsync(HostId id, CancellationToken ct) =>
        await hosts.FindAsync(id, ct) is { State: not (Domain.Hosts.HostState.Down or Domain.Hosts.HostState.Connecting) } host ? host : null;

    /// <summary>The VM when no operation holds it; an operation that does is woken: what it waits for may have happened.</summary>
    private async Task<Domain.VirtualMachines.VirtualMachine?> AtRestAsync(VmId id, CancellationToken ct)
    {
        var vm = await vms.FindAsync(id, ct);
        if (vm?.Operation is not { } operation)
            return vm;
        await WakeAsync(operation, ct);
        return null;
    }

    /// <summary>Here, or on the server that runs it: whoever watches a host need not run what waits for it.</summary>
    private async Task WakeAsync(OperationId operation, CancellationToken ct)
    {
        if (runner.Wake(operation.Value))
            return;
        var unit = new WriteUnit();
        unit.Signal(operation.Value);
        await writer.CommitAsync(unit, ct);
    }

    [LoggerMessage(1, LogLevel.Error, "Following the events of host {Host} failed; it is tried again")]
    private static partial void LogFailed(ILogger log, Exception bug, HostId host);
}

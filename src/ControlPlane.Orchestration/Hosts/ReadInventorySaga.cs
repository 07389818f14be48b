using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration.Hosts;

/// <param name="Activate">Takes the host back into service when it has answered.</param>
public sealed record ReadInventoryState(HostId Host, bool Activate);

/// <summary>
/// Asks a host what it is made of and records it: the first time it is added, when an operator asks, and before it goes back into
/// service. Whether a known host is still there is for the heartbeat to say; a new one that does not answer is down from the start, with
/// the reason, and the heartbeat keeps trying it.
/// </summary>
internal abstract class ReadInventorySaga(string kind, HostConnections hosts, HostRecords records, OperationRecords operations)
    : OperationSaga<ReadInventoryState>(operations)
{
    /// <summary>A person waits for the answer; the heartbeat has all the time.</summary>
    private static readonly RetryPolicy Patience = new(4, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(2));

    public sealed override string Kind => kind;

    protected sealed override void Define(SagaPlan<ReadInventoryState> plan) => plan
        .Retry(Patience)
        .Step("read-inventory", ReadInventory, undo: NothingToUndo, refused: RefusedChanges.Retry);

    protected sealed override void Succeeded(WriteUnit unit, ReadInventoryState s, SagaEnd end)
    {
        if (s.Activate)
            records.Activate(unit, s.Host, end.At);
    }

    protected override void Undone(WriteUnit unit, ReadInventoryState s, SagaFailure failure, SagaEnd end)
    {
    }

    private async Task<StepOutcome<ReadInventoryState>> ReadInventory(ReadInventoryState s, StepContext context, CancellationToken ct)
    {
        var opened = await hosts.OpenAsync(s.Host, ct);
        if (!opened.TryGet(out var hypervisor, out var fault))
            return fault.ToOutcome<ReadInventoryState>();
        var read = await hypervisor.ReadInventoryAsync(ct);
        if (!read.TryGet(out var inventory, out fault))
            return fault.ToOutcome<ReadInventoryState>();
        return Done(s, await records.ScannedAsync(s.Host, inventory, context.Now, ct));
    }
}

internal sealed class ConnectHostSaga(HostConnections hosts, HostRecords records, OperationRecords operations)
    : ReadInventorySaga(KindName, hosts, records, operations)
{
    public const string KindName = "host.connect";

    private readonly HostRecords records = records;

    protected override void Undone(WriteUnit unit, ReadInventoryState s, SagaFailure failure, SagaEnd end) =>
        records.Silent(unit, s.Host, failure.Message, end.At);
}

internal sealed class RescanHostSaga(HostConnections hosts, HostRecords records, OperationRecords operations)
    : ReadInventorySaga(KindName, hosts, records, operations)
{
    public const string KindName = "host.rescan";
}

internal sealed class ActivateHostSaga(HostConnections hosts, HostRecords records, OperationRecords operations)
    : ReadInventorySaga(KindName, hosts, records, operations)
{
    public const string KindName = "host.activate";
}

using ControlPlane.Domain;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration.Hosts;

/// <param name="Activate">Takes the host back into service when it has answered.</param>
/// <param name="Trouble">Why the host could not be read; null: it was.</param>
public sealed record ReadInventoryState(HostId Host, bool Activate, SagaFailure? Trouble = null);

/// <summary>
/// Asks a host what it is made of and records it: the first time it is added, when an operator asks, and before it goes back into
/// service. What was seen cannot be unseen, so it only goes forward; a host that does not answer in a person's patience ends it with the
/// reason. A new one is then down from the start, and the heartbeat keeps trying it.
/// </summary>
internal abstract class ReadInventorySaga(string kind, HostRecords records, OperationRecords operations)
    : OperationSaga<ReadInventoryState>(operations)
{
    /// <summary>A person waits for the answer; the heartbeat has all the time.</summary>
    private const int Tries = 4;

    public sealed override string Kind => kind;

    protected HostRecords Records => records;

    protected sealed override void Define(SagaPlan<ReadInventoryState> plan) => plan
        .PointOfNoReturn()
        .ForwardStep("read-inventory", ReadInventory);

    protected override void Succeeded(WriteUnit unit, ReadInventoryState s, SagaEnd end)
    {
        if (s is { Activate: true, Trouble: null })
            records.Activate(unit, s.Host, end.At);
    }

    protected sealed override SagaFailure? Verdict(ReadInventoryState s) => s.Trouble;

    protected sealed override void Undone(WriteUnit unit, ReadInventoryState s, SagaFailure failure, SagaEnd end) =>
        throw new InvalidOperationException($"{kind} has no undo.");

    private async Task<StepOutcome<ReadInventoryState>> ReadInventory(ReadInventoryState s, StepContext context, CancellationToken ct)
    {
        var scanned = await records.ScanAsync(s.Host, context.Now, ct);
        return scanned.TryGet(out var unit, out var fault) ? Done(s, unit) : GiveUp(s, context, fault);
    }

    private static StepOutcome<ReadInventoryState> GiveUp(ReadInventoryState s, StepContext context, Fault fault) =>
        fault.IsTransient() && context.Attempt < Tries ? Retry(fault.ToFailure()) : Done(s with { Trouble = fault.ToFailure() });
}

internal sealed class ConnectHostSaga(HostRecords records, OperationRecords operations)
    : ReadInventorySaga(KindName, records, operations)
{
    public const string KindName = "host.connect";

    protected override void Succeeded(WriteUnit unit, ReadInventoryState s, SagaEnd end)
    {
        if (s.Trouble is { } trouble)
            Records.Silent(unit, s.Host, trouble.Message, end.At);
    }
}

internal sealed class RescanHostSaga(HostRecords records, OperationRecords operations)
    : ReadInventorySaga(KindName, records, operations)
{
    public const string KindName = "host.rescan";
}

internal sealed class ActivateHostSaga(HostRecords records, OperationRecords operations)
    : ReadInventorySaga(KindName, records, operations)
{
    public const string KindName = "host.activate";
}

using System.Collections.Concurrent;

namespace ControlPlane.Sagas;

/// <summary>Those who wait for a saga's end. Sagas held here tell them; the rows of the others are looked at when there is cause to.</summary>
internal sealed class RestWaiters(ISagaStore store, Func<Guid, bool> isHeld)
{
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource<RestedSaga?>> waiting = new();

    public async Task<RestedSaga?> WaitAsync(Guid id, CancellationToken ct)
    {
        // First register, then look: a saga stops being held before its waiters are told, so one of the two catches its end.
        var rest = waiting.GetOrAdd(id, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
        if (!isHeld(id))
            await LookAsync(id, ct);
        return await rest.Task.WaitAsync(ct);
    }

    public void Complete(RestedSaga rested) => Complete(rested.Record.Id, rested);

    public async Task LookAsync(Guid id, CancellationToken ct)
    {
        if (!waiting.ContainsKey(id))
            return;
        var row = await store.FindAsync(id, ct);
        if (row is null or { IsAtRest: true })
            Complete(id, row is null ? null : new RestedSaga(row, Log: null));
    }

    public async Task LookAtOthersAsync(CancellationToken ct)
    {
        foreach (var id in waiting.Keys)
        {
            if (!isHeld(id))
                await LookAsync(id, ct);
        }
    }

    private void Complete(Guid id, RestedSaga? rested)
    {
        if (waiting.TryRemove(id, out var rest))
            rest.TrySetResult(rested);
    }
}

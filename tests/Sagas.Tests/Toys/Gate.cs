using System.Threading.Channels;
using ControlPlane.Sagas;

namespace ControlPlane.Sagas.Tests.Toys;

/// <summary>A step that stands still in the middle of its action until a test lets it go on.</summary>
internal sealed class Gate
{
    private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<bool> entered = Channel.CreateUnbounded<bool>();
    private int inside;
    private int insideMost;

    /// <summary>The most that ever stood inside together.</summary>
    public int InsideMost => insideMost;

    /// <summary>Completes once for each call that has come in.</summary>
    public async Task EnteredAsync() => await entered.Reader.ReadAsync(TestContext.Current.CancellationToken);

    public void Open() => opened.TrySetResult();

    public StepAction<Tally> Around(StepAction<Tally> action) => async (state, context, ct) =>
    {
        var now = Interlocked.Increment(ref inside);
        int most;
        while ((most = Volatile.Read(ref insideMost)) < now && Interlocked.CompareExchange(ref insideMost, now, most) != most)
        {
        }

        entered.Writer.TryWrite(true);
        await opened.Task.WaitAsync(ct);
        Interlocked.Decrement(ref inside);
        return await action(state, context, ct);
    };
}

/// <summary>Stands between a runner and its store.</summary>
internal sealed class StoreFilter(ISagaStore inner) : ISagaStore
{
    /// <summary>Instead of the append, where it answers; else the append is made.</summary>
    public Func<SagaAppend, ISagaStore, Task<AppendOutcome>> OnAppend { get; set; } =
        static (append, store) => store.AppendAsync(append, CancellationToken.None);

    /// <summary>Leases are not renewed: the server stands still, or cannot be heard.</summary>
    public bool IsDeaf { get; set; }

    public Task<AppendOutcome> AppendAsync(SagaAppend append, CancellationToken ct) => OnAppend(append, inner);

    public Task<IReadOnlyList<SagaRecord>> TakeExpiredAsync(
        string owner, DateTimeOffset now, DateTimeOffset leaseUntil, int limit, CancellationToken ct) =>
        IsDeaf ? throw new IOException("planted") : inner.TakeExpiredAsync(owner, now, leaseUntil, limit, ct);

    public Task RenewLeasesAsync(string owner, IReadOnlyCollection<Guid> held, DateTimeOffset leaseUntil, CancellationToken ct) =>
        IsDeaf ? throw new IOException("planted") : inner.RenewLeasesAsync(owner, held, leaseUntil, ct);

    public Task<IReadOnlyList<Guid>> CancelRequestsAsync(string owner, CancellationToken ct) => inner.CancelRequestsAsync(owner, ct);

    public Task<SagaRecord?> RequestCancelAsync(Guid id, CancellationToken ct) => inner.RequestCancelAsync(id, ct);

    public Task<SagaRecord?> TakeStuckAsync(Guid id, string owner, DateTimeOffset leaseUntil, CancellationToken ct) =>
        inner.TakeStuckAsync(id, owner, leaseUntil, ct);

    public Task<SagaRecord?> FindAsync(Guid id, CancellationToken ct) => inner.FindAsync(id, ct);

    public Task<IReadOnlyList<SagaLogEntry>> LogAsync(Guid id, CancellationToken ct) => inner.LogAsync(id, ct);
}

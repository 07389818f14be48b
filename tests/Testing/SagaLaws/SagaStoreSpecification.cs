using ControlPlane.Sagas;
using Xunit;

namespace ControlPlane.Testing.SagaLaws;

/// <summary>What the engine relies on in any store; each store derives it.</summary>
public abstract class SagaStoreSpecification
{
    private static readonly DateTimeOffset Now = new(2026, 1, 5, 8, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);
    private static readonly SagaFailure Failure = new("broken", "It is broken: \"quoted\", and ünïcode.");

    /// <summary>Empty at the beginning of each test.</summary>
    protected abstract ISagaStore Store { get; }

    /// <summary>Inserts as the application does in its own transaction.</summary>
    protected abstract Task InsertAsync(SagaRecord record, SagaLogEntry first);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_row_and_its_log_come_back_as_they_were_written()
    {
        var first = await InsertNewAsync(1);
        var next = first with
        {
            State = """{"plot":"plot-7"}""", Status = SagaStatus.Unwinding, NextStep = 2, Attempt = 3, WakeAt = Now.AddMinutes(5), Failure = Failure,
            LogLength = 3, LeaseUntil = Now + (Lease * 2), UpdatedAt = Now.AddSeconds(1),
        };

        Assert.Equal(first, await Store.FindAsync(first.Id, Ct));
        Assert.Equal(AppendResult.Committed, await AppendAsync(next, Entry(1, SagaEvent.Failed, Failure.Message), Entry(2, SagaEvent.UndoStarted)));

        Assert.Equal(next, await Store.FindAsync(first.Id, Ct));
        SagaLogEntry[] log = [Entry(0, SagaEvent.Started), Entry(1, SagaEvent.Failed, Failure.Message), Entry(2, SagaEvent.UndoStarted)];
        Assert.Equal(log, await Store.LogAsync(first.Id, Ct));
    }

    [Fact]
    public async Task What_is_not_there_is_not_found()
    {
        var nowhere = IdOf(99);

        Assert.Null(await Store.FindAsync(nowhere, Ct));
        Assert.Null(await Store.RequestCancelAsync(nowhere, Ct));
        Assert.Null(await Store.TakeStuckAsync(nowhere, "server-2", Now + Lease, Ct));
        Assert.Empty(await Store.LogAsync(nowhere, Ct));
    }

    [Fact]
    public async Task An_append_under_an_older_lease_is_refused_and_changes_nothing()
    {
        var first = await InsertNewAsync(1);
        var taken = Assert.Single(await TakeAsync("server-2", Now + (Lease * 2)));

        Assert.Equal(AppendResult.LeaseLost, await AppendAsync(first with { NextStep = 1, LogLength = 2 }, Entry(1, SagaEvent.Succeeded)));

        Assert.Equal(taken, await Store.FindAsync(first.Id, Ct));
        Assert.Single(await Store.LogAsync(first.Id, Ct));
    }

    [Fact]
    public async Task An_append_made_from_an_older_row_is_refused_even_under_the_same_lease()
    {
        var first = await InsertNewAsync(1);
        var second = first with { NextStep = 1, LogLength = 2 };
        await AppendAsync(second, Entry(1, SagaEvent.Succeeded));

        Assert.Equal(AppendResult.LeaseLost, await AppendAsync(first with { NextStep = 2, LogLength = 2 }, Entry(1, SagaEvent.Failed)));
        Assert.Equal(AppendResult.LeaseLost, await AppendAsync(first with { Attempt = 1 }));

        Assert.Equal(second, await Store.FindAsync(first.Id, Ct));
    }

    [Fact]
    public async Task An_append_without_entries_only_parks()
    {
        var first = await InsertNewAsync(1);
        var parked = first with { Attempt = 1, WakeAt = Now.AddHours(1) };

        Assert.Equal(AppendResult.Committed, await AppendAsync(parked));

        Assert.Equal(parked, await Store.FindAsync(first.Id, Ct));
        Assert.Single(await Store.LogAsync(first.Id, Ct));
    }

    [Fact]
    public async Task A_cancel_asked_for_meanwhile_survives_the_append_that_does_not_know_of_it()
    {
        var first = await InsertNewAsync(1);
        var cancelled = await Store.RequestCancelAsync(first.Id, Ct);

        Assert.Equal(AppendResult.Committed, await AppendAsync(first with { NextStep = 1, LogLength = 2 }, Entry(1, SagaEvent.Succeeded)));

        Assert.True(cancelled!.CancelRequested);
        Assert.True((await Store.FindAsync(first.Id, Ct))!.CancelRequested);
        Assert.Equal([first.Id], await Store.CancelRequestsAsync("server-1", Ct));
        Assert.Empty(await Store.CancelRequestsAsync("server-2", Ct));
    }

    [Theory]
    [InlineData(SagaStatus.Done)]
    [InlineData(SagaStatus.Undone)]
    [InlineData(SagaStatus.Stuck)]
    public async Task A_saga_at_rest_is_neither_cancelled_nor_taken_over(SagaStatus status)
    {
        var first = await InsertNewAsync(1);
        var rest = first with { Status = status, LogLength = 2, Failure = status == SagaStatus.Done ? null : Failure };
        await AppendAsync(rest, Entry(1, SagaEvent.Succeeded));

        Assert.Equal(rest, await Store.RequestCancelAsync(first.Id, Ct));
        Assert.Empty(await TakeAsync("server-2", Now.AddDays(1)));
        Assert.Equal(rest, await Store.FindAsync(first.Id, Ct));
    }

    [Fact]
    public async Task Only_lapsed_leases_are_taken_over_each_under_a_new_generation()
    {
        var (old, young) = (await InsertNewAsync(1), await InsertNewAsync(2, Now.AddSeconds(10)));

        Assert.Empty(await TakeAsync("server-2", Now + Lease));
        var taken = Assert.Single(await TakeAsync("server-2", Now + Lease + TimeSpan.FromMilliseconds(1)));

        Assert.Equal(
            old with { Owner = "server-2", LeaseGeneration = 2, LeaseUntil = Now + Lease + TimeSpan.FromMilliseconds(1) + Lease }, taken with { UpdatedAt = old.UpdatedAt });
        Assert.Equal(taken, await Store.FindAsync(old.Id, Ct));
        Assert.Equal(young, await Store.FindAsync(young.Id, Ct));
    }

    [Fact]
    public async Task A_take_over_is_bounded_and_without_a_bound_takes_all()
    {
        for (var i = 1; i <= 5; i++)
            await InsertNewAsync(i);
        var late = Now + (Lease * 2);

        var two = await Store.TakeExpiredAsync("server-2", late, late + Lease, limit: 2, Ct);
        var rest = await Store.TakeExpiredAsync("server-3", late, late + Lease, int.MaxValue, Ct);

        Assert.Equal((2, 3), (two.Count, rest.Count));
        Assert.Equal(5, two.Concat(rest).Select(r => r.Id).Distinct().Count());
    }

    [Fact]
    public async Task Two_servers_that_take_over_at_once_share_what_there_is()
    {
        for (var i = 1; i <= 40; i++)
            await InsertNewAsync(i);
        var late = Now + (Lease * 2);

        var taken = await Task.WhenAll(Enumerable.Range(0, 4).Select(
            server => Store.TakeExpiredAsync($"server-{server}", late, late + Lease, limit: 40, Ct)));

        var all = taken.SelectMany(t => t).ToList();
        Assert.Equal(all.Count, all.Select(r => r.Id).Distinct().Count());
        Assert.All(all, r => Assert.Equal(2, r.LeaseGeneration));
    }

    [Fact]
    public async Task Only_held_leases_that_are_still_the_owners_are_renewed_or_given_back()
    {
        var (held, orphan, lost) = (await InsertNewAsync(1), await InsertNewAsync(2), await InsertNewAsync(3, owner: "server-2"));
        var until = Now + (Lease * 3);

        await Store.RenewLeasesAsync("server-1", [held.Id, lost.Id, IdOf(99)], until, Ct);

        Assert.Equal(held with { LeaseUntil = until }, await Store.FindAsync(held.Id, Ct));
        Assert.Equal(orphan, await Store.FindAsync(orphan.Id, Ct));
        Assert.Equal(lost, await Store.FindAsync(lost.Id, Ct));

        await Store.RenewLeasesAsync("server-1", [held.Id], Now.AddSeconds(-1), Ct);
        Assert.Equal([held.Id], (await TakeAsync("server-3", Now)).Select(r => r.Id));
        await Store.RenewLeasesAsync("server-1", [], until, Ct);
    }

    [Fact]
    public async Task A_stuck_saga_is_taken_for_an_operator_and_nothing_else_is()
    {
        var (running, first) = (await InsertNewAsync(1), await InsertNewAsync(2));
        var stuck = first with { Status = SagaStatus.Stuck, Failure = Failure, LogLength = 2 };
        await AppendAsync(stuck, Entry(1, SagaEvent.Failed));

        var taken = await Store.TakeStuckAsync(first.Id, "server-2", Now + (Lease * 2), Ct);

        Assert.Null(await Store.TakeStuckAsync(running.Id, "server-2", Now + (Lease * 2), Ct));
        Assert.Equal(stuck with { Owner = "server-2", LeaseGeneration = 2, LeaseUntil = Now + (Lease * 2) }, taken! with { UpdatedAt = stuck.UpdatedAt });
        var resumed = taken with { Status = SagaStatus.Running, Failure = null, LogLength = 3 };
        Assert.Equal(AppendResult.Committed, await AppendAsync(resumed, Entry(2, SagaEvent.Started, "resumed")));
        Assert.Equal(resumed, await Store.FindAsync(first.Id, Ct));
    }

    protected static Guid IdOf(int number) => new($"0198c0de-0000-7000-8000-{number:x12}");

    private async Task<SagaRecord> InsertNewAsync(int number, DateTimeOffset? at = null, string owner = "server-1")
    {
        var created = at ?? Now;
        var record = new SagaRecord(
            IdOf(number), "house.build", Version: 1, State: "{}", SagaStatus.Running, NextStep: 0, Attempt: 0, WakeAt: null, CancelRequested: false,
            Failure: null, LogLength: 1, owner, LeaseGeneration: 1, created + Lease, created, created);
        await InsertAsync(record, Entry(0, SagaEvent.Started));
        return record;
    }

    private async Task<AppendResult> AppendAsync(SagaRecord record, params SagaLogEntry[] entries) =>
        (await Store.AppendAsync(new SagaAppend(record, entries, Changes: null), Ct)).Result;

    private Task<IReadOnlyList<SagaRecord>> TakeAsync(string owner, DateTimeOffset now) => Store.TakeExpiredAsync(owner, now, now + Lease, limit: 100, Ct);

    private static SagaLogEntry Entry(int sequence, SagaEvent what, string? detail = null) => new(sequence, "build-wall", what, Now, detail);
}

using ControlPlane.Sagas.Tests.Toys;

namespace ControlPlane.Sagas.Tests;

/// <summary>Servers die, stand still, and lose their store.</summary>
public sealed class RecoveryTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task A_saga_of_a_server_that_stands_still_is_taken_over_and_its_late_commit_is_refused()
    {
        var (gate, calls) = (new Gate(), 0);
        var slow = new ScriptedSaga(p => p.Step("dig-hole", gate.Around(Act.Change(ToyChanges.Set("hole", "by server-1"))), Act.Keep));
        var quick = new ScriptedSaga(p => p.Step("dig-hole", Count, Act.Keep));
        await using var rig = new Rig(slow);
        var deaf = new StoreFilter(rig.Memory) { IsDeaf = false };
        rig.Store = deaf;
        var first = await rig.StartRunnerAsync();
        var id = rig.Run(first);
        await gate.EnteredAsync();
        deaf.IsDeaf = true;
        rig.Time.Advance(Rig.Lease + TimeSpan.FromSeconds(1));

        rig.Store = rig.Memory;
        var second = await rig.StartRunnerAsync("server-2", options: null, quick);
        var end = await rig.RestAsync(second, id);
        gate.Open();
        await first.WhenIdleAsync();

        Assert.Equal((SagaStatus.Done, "server-2", 2L, 1), (end.Status, end.Owner, end.LeaseGeneration, calls));
        Assert.Equal(end, await rig.RowAsync(id));
        Assert.Equal("row hole=by server-2", rig.Ground.Dump());
        Assert.Equal(0, first.HeldCount);

        Task<StepOutcome<Tally>> Count(Tally s, StepContext step, CancellationToken ct)
        {
            calls++;
            return Act.Change(ToyChanges.Set("hole", "by server-2"))(s, step, ct);
        }
    }

    [Fact]
    public async Task A_lapsed_lease_that_the_same_server_takes_again_costs_no_more_than_a_repeated_step()
    {
        var calls = 0;
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("dig-hole", (s, c, ct) => { calls++; return Act.Succeed(s, c, ct); }, Act.Keep).Step("line-hole", Act.Succeed, Act.Keep)));
        var runner = rig.CreateRunner(Rig.Options("server-1") with { IsSoleServer = true });
        var id = rig.Run(runner);

        await runner.StartAsync(Rig.Ct);
        var end = await rig.RestAsync(runner, id);

        Assert.Equal((SagaStatus.Done, 2L, 2), (end.Status, end.LeaseGeneration, calls));
        Assert.Equal(end.CreatedAt, rig.Time.GetUtcNow());
    }

    [Fact]
    public async Task A_store_that_refuses_every_commit_is_not_asked_for_ever()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("dig-hole", Act.Succeed, Act.Keep)));
        rig.Store = new StoreFilter(rig.Memory) { OnAppend = (_, _) => Task.FromResult(new AppendOutcome(AppendResult.LeaseLost)) };
        var runner = await rig.StartRunnerAsync();
        rig.Run(runner);

        await runner.WhenIdleAsync();

        Assert.Equal(0, runner.HeldCount);
    }

    [Fact]
    public async Task A_saga_that_was_committed_but_never_reached_its_runner_is_taken_over_when_its_lease_lapses()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("dig-hole", Act.Succeed, Act.Keep)));
        var runner = await rig.StartRunnerAsync();
        var orphan = rig.Insert();

        var end = await rig.RestAsync(runner, orphan.Record.Id);

        Assert.Equal((SagaStatus.Done, 2L), (end.Status, end.LeaseGeneration));
        Assert.InRange(rig.Time.GetUtcNow() - end.CreatedAt, Rig.Lease, Rig.Lease * 1.5);
    }

    [Fact]
    public async Task A_recovered_saga_waits_on_until_it_is_due_and_remembers_when_its_step_began()
    {
        var began = new List<DateTimeOffset>();
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("await-rain", Act.WaitOnce(Hour), Act.Keep)
            .Step("wait-sun", WaitUnchanged, Act.Keep)));
        var first = await rig.StartRunnerAsync();
        var id = rig.Run(first);
        await rig.AdvanceAsync(first, Hour);
        var parked = await rig.RowAsync(id);
        first.Crash();
        rig.Time.Advance(Rig.Lease * 2);

        var second = await rig.StartRunnerAsync("server-2");
        var end = await rig.RestAsync(second, id);

        var stepBegan = parked.CreatedAt + Hour;
        Assert.Equal((SagaStatus.Done, stepBegan + Hour), (end.Status, rig.Time.GetUtcNow()));
        Assert.Equal([stepBegan, stepBegan], began);

        Task<StepOutcome<Tally>> WaitUnchanged(Tally s, StepContext step, CancellationToken ct)
        {
            began.Add(step.StartedAt);
            return Task.FromResult(began.Count == 1 ? StepOutcome<Tally>.WaitFor(s, Hour) : StepOutcome<Tally>.Done(s));
        }
    }

    [Fact]
    public async Task A_sole_server_takes_over_at_its_start_without_waiting_for_leases_to_lapse()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("dig-hole", Act.Succeed, Act.Keep)));
        var left = Enumerable.Range(0, 5).Select(_ => rig.Insert(owner: "server-0").Record.Id).ToList();

        var runner = await rig.StartRunnerAsync(options: Rig.Options("server-1") with { IsSoleServer = true, TakeOverBatch = 2 });
        await runner.WhenIdleAsync();

        foreach (var id in left)
            Assert.Equal(SagaStatus.Done, (await rig.RowAsync(id)).Status);
        Assert.Equal(rig.Time.GetUtcNow(), (await rig.RowAsync(left[0])).CreatedAt);
    }

    [Fact]
    public async Task More_expired_sagas_than_one_batch_are_all_taken_over()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("wait-rain", Act.WaitOnce(Hour), Act.Keep)));
        for (var i = 0; i < 11; i++)
            rig.Insert(owner: "server-0");
        rig.Time.Advance(Rig.Lease * 2);

        var runner = await rig.StartRunnerAsync(options: Rig.Options("server-1") with { TakeOverBatch = 4 });

        Assert.Equal(11, runner.HeldCount);
    }

    [Fact]
    public async Task Leases_of_waiting_sagas_are_renewed()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("wait-rain", Act.WaitOnce(Hour), Act.Keep)));
        var runner = await rig.StartRunnerAsync();
        var other = await rig.StartRunnerAsync("server-2");
        var id = rig.Run(runner);

        for (var i = 0; i < 30; i++)
        {
            await rig.AdvanceAsync(runner, Rig.Lease / 3);
            await other.WhenIdleAsync();
        }

        var row = await rig.RowAsync(id);
        Assert.Equal(("server-1", 1L), (row.Owner, row.LeaseGeneration));
        Assert.True(row.LeaseUntil > rig.Time.GetUtcNow());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_store_that_fails_in_a_commit_is_asked_what_became_of_it(bool commitGotThrough)
    {
        var (calls, faults) = (0, 3);
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("dig-hole", (s, c, ct) => { calls++; return Act.Succeed(s, c, ct); }, Act.Keep)
            .Step("line-hole", Act.Succeed, Act.Keep)));
        rig.Store = new StoreFilter(rig.Memory) { OnAppend = FailAsync };
        var runner = await rig.StartRunnerAsync();

        var end = await rig.RunToRestAsync(runner);

        Assert.Equal((SagaStatus.Done, """{"count":2,"note":""}"""), (end.Status, end.State));
        Assert.Equal(commitGotThrough ? 1 : 4, calls);
        Assert.Equal(2, rig.Memory.CommitCount);

        async Task<AppendOutcome> FailAsync(SagaAppend append, ISagaStore store)
        {
            if (faults-- <= 0)
                return await store.AppendAsync(append, CancellationToken.None);
            if (commitGotThrough)
                await store.AppendAsync(append, CancellationToken.None);
            throw new IOException("The connection is gone.");
        }
    }

    [Fact]
    public async Task Changes_that_can_never_be_committed_fail_their_step_instead_of_repeating_it_for_ever()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("dig-hole", Act.Succeed, Act.Keep).PointOfNoReturn().ForwardStep("break-store", Act.Change(ToyChanges.Set("poison", "1"))))
        {
            WhenStuck = (_, _) => ToyChanges.Set("poison", "2"),
        });
        rig.Store = new StoreFilter(rig.Memory)
        {
            OnAppend = (append, store) => append.Changes is null ? store.AppendAsync(append, Rig.Ct) : throw new IOException("Syntax error."),
        };
        var runner = await rig.StartRunnerAsync();

        var end = await rig.RunToRestAsync(runner);

        Assert.Equal((SagaStatus.Stuck, SagaFailure.Unexpected), (end.Status, end.Failure!.Code));
        Assert.Contains("Syntax error.", end.Failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_saga_of_an_unknown_kind_rests_as_stuck_until_a_server_that_knows_it_resumes_it()
    {
        var known = new ScriptedSaga(p => p.Step("dig-hole", Act.Succeed, Act.Keep));
        await using var rig = new Rig(known);
        var id = rig.Insert(owner: "server-0").Record.Id;
        rig.Time.Advance(Rig.Lease * 2);

        var ignorant = await rig.StartRunnerAsync("server-1", options: null, new ScriptedSaga(p => p.Step("dig-hole", Act.Succeed, Act.Keep), "test.other"));
        var stuck = await rig.RestAsync(ignorant, id);
        Assert.Equal((SagaStatus.Stuck, SagaFailure.UnknownKind), (stuck.Status, stuck.Failure!.Code));
        Assert.Equal(ResumeResult.UnknownKind, await ignorant.ResumeStuckAsync(id, changes: null, Rig.Ct));

        var knowing = await rig.StartRunnerAsync("server-2");
        Assert.Equal(ResumeResult.Resumed, await knowing.ResumeStuckAsync(id, changes: null, Rig.Ct));
        Assert.Equal(SagaStatus.Done, (await rig.RestAsync(knowing, id)).Status);
    }

    [Theory]
    [InlineData("{\"count\":\"three\"}", 0)]
    [InlineData("null", 0)]
    [InlineData("", 0)]
    [InlineData("{}", 7)]
    [InlineData("{}", -1)]
    public async Task A_row_that_does_not_fit_its_plan_rests_as_stuck(string state, int step)
    {
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("dig-hole", Act.Succeed, Act.Keep)));
        var record = rig.Insert(owner: "server-0").Record;
        rig.Memory.Overwrite(record with { State = state, NextStep = step });
        rig.Time.Advance(Rig.Lease * 2);

        var runner = await rig.StartRunnerAsync();
        var end = await rig.RestAsync(runner, record.Id);

        Assert.Equal((SagaStatus.Stuck, SagaFailure.Unreadable), (end.Status, end.Failure!.Code));
    }

    [Fact]
    public async Task The_end_of_a_saga_on_another_server_is_learnt_when_noticed_or_at_the_next_tick()
    {
        var gate = new Gate();
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("dig-hole", gate.Around(Act.Succeed), Act.Keep)));
        var (here, there) = (await rig.StartRunnerAsync(), await rig.StartRunnerAsync("server-2"));
        var (noticed, ticked) = (rig.Run(there), rig.Run(there));
        var noticedAtRest = here.WhenAtRestAsync(noticed, Rig.Ct);
        var tickedAtRest = here.WhenAtRestAsync(ticked, Rig.Ct);
        gate.Open();
        await there.WhenIdleAsync();
        Assert.False(noticedAtRest.IsCompleted || tickedAtRest.IsCompleted);

        await here.NoticeAsync(noticed, Rig.Ct);
        Assert.Equal(SagaStatus.Done, (await noticedAtRest)!.Record.Status);
        await rig.AdvanceAsync(here, Rig.Lease / 3);
        Assert.Equal(SagaStatus.Done, (await tickedAtRest)!.Record.Status);
    }
}

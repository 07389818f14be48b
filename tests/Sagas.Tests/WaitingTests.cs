using ControlPlane.Sagas.Tests.Toys;

namespace ControlPlane.Sagas.Tests;

/// <summary>Parking, timers and wake-ups.</summary>
public sealed class WaitingTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task A_waiting_step_is_called_again_when_it_is_due_and_not_before()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("wait-rain", Act.WaitOnce(Hour), Act.Keep)));
        var runner = await rig.StartRunnerAsync();
        var id = rig.Run(runner);

        await rig.AdvanceAsync(runner, Hour - TimeSpan.FromSeconds(1));
        var early = await rig.RowAsync(id);
        await rig.AdvanceAsync(runner, TimeSpan.FromSeconds(1));

        Assert.Equal((SagaStatus.Running, early.CreatedAt + Hour), (early.Status, early.WakeAt));
        Assert.Equal(SagaStatus.Done, (await rig.RowAsync(id)).Status);
    }

    [Fact]
    public async Task A_wait_longer_than_any_timer_reaches_is_kept()
    {
        var year = TimeSpan.FromDays(365);
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("wait-rain", Act.WaitOnce(year), Act.Keep)));
        var runner = await rig.StartRunnerAsync(options: Rig.Options("server-1") with { LeaseDuration = TimeSpan.FromDays(2000) });

        var end = await rig.RunToRestAsync(runner);

        Assert.Equal((SagaStatus.Done, end.CreatedAt + year), (end.Status, rig.Time.GetUtcNow()));
    }

    [Fact]
    public async Task A_wake_up_calls_a_waiting_step_at_once()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("wait-rain", Act.WaitOnce(Hour), Act.Keep)));
        var runner = await rig.StartRunnerAsync();
        var id = rig.Run(runner);
        await runner.WhenIdleAsync();

        runner.Wake(id);
        await runner.WhenIdleAsync();

        var end = await rig.RowAsync(id);
        Assert.Equal((SagaStatus.Done, end.CreatedAt), (end.Status, rig.Time.GetUtcNow()));
    }

    [Fact]
    public async Task A_wake_up_that_comes_while_the_step_runs_is_not_lost()
    {
        var gate = new Gate();
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("wait-rain", gate.Around(Act.WaitOnce(Hour)), Act.Keep)));
        var runner = await rig.StartRunnerAsync();
        var id = rig.Run(runner);
        await gate.EnteredAsync();

        runner.Wake(id);
        gate.Open();
        await runner.WhenIdleAsync();

        Assert.Equal(SagaStatus.Done, (await rig.RowAsync(id)).Status);
    }

    [Fact]
    public async Task A_wake_up_counts_once()
    {
        var calls = 0;
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("wait-rain", Wait, Act.Keep)));
        var runner = await rig.StartRunnerAsync();
        var id = rig.Run(runner);
        await runner.WhenIdleAsync();

        runner.Wake(id);
        await runner.WhenIdleAsync();

        Assert.Equal(2, calls);

        Task<StepOutcome<Tally>> Wait(Tally s, StepContext step, CancellationToken ct)
        {
            calls++;
            return Task.FromResult(StepOutcome<Tally>.WaitFor(s, Hour));
        }
    }

    [Fact]
    public async Task A_wake_up_does_not_use_up_the_tries_of_a_step_that_backs_off()
    {
        var calls = 0;
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("dig-hole", (s, c, ct) => { calls++; return Act.Retry(s, c, ct); }, Act.Keep)
            .Retry(new RetryPolicy(3, Hour, Hour))));
        var runner = await rig.StartRunnerAsync();
        var id = rig.Run(runner);
        await runner.WhenIdleAsync();

        for (var i = 0; i < 5; i++)
        {
            runner.Wake(id);
            await runner.WhenIdleAsync();
        }

        Assert.Equal((1, 1), (calls, (await rig.RowAsync(id)).Attempt));
    }

    [Fact]
    public async Task Waiting_gives_a_step_its_tries_back()
    {
        var calls = 0;
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("dig-hole", FailEverySecondTime, Act.Keep)
            .Retry(new RetryPolicy(2, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)))));
        var runner = await rig.StartRunnerAsync();

        var end = await rig.RunToRestAsync(runner);

        Assert.Equal((SagaStatus.Done, 12), (end.Status, calls));

        Task<StepOutcome<Tally>> FailEverySecondTime(Tally s, StepContext step, CancellationToken ct) => Task.FromResult(
            ++calls == 12 ? StepOutcome<Tally>.Done(s)
            : calls % 2 == 0 ? StepOutcome<Tally>.WaitFor(s, TimeSpan.FromSeconds(1))
            : StepOutcome<Tally>.Retry("Every second time."));
    }

    [Fact]
    public async Task A_short_wait_that_changes_nothing_costs_no_commit()
    {
        var calls = 0;
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("wait-rain", Poll, Act.Keep)));
        var runner = await rig.StartRunnerAsync();

        var end = await rig.RunToRestAsync(runner);

        Assert.Equal((SagaStatus.Done, 50, 1), (end.Status, calls, rig.Memory.CommitCount));

        Task<StepOutcome<Tally>> Poll(Tally s, StepContext step, CancellationToken ct) => Task.FromResult(
            ++calls == 50 ? StepOutcome<Tally>.Done(s) : StepOutcome<Tally>.WaitFor(s with { }, TimeSpan.FromMilliseconds(200)));
    }

    [Fact]
    public async Task Waiting_for_rest_needs_no_polling_and_works_before_and_after_it()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("wait-rain", Act.WaitOnce(Hour), Act.Keep)));
        var runner = await rig.StartRunnerAsync();
        var atRest = new List<SagaRecord>();
        runner.SagaAtRest += atRest.Add;
        var id = rig.Run(runner);
        var before = runner.WhenAtRestAsync(id, Rig.Ct);
        using var impatient = new CancellationTokenSource();
        var given = runner.WhenAtRestAsync(id, impatient.Token);

        await runner.WhenIdleAsync();
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        Assert.False(before.IsCompleted);
        await rig.AdvanceAsync(runner, Hour);

        Assert.Equal(SagaStatus.Done, (await before)!.Record.Status);
        Assert.Equal(await rig.LogAsync(id), (await before)!.Log!.Select(e => (e.Step, e.Event)));
        Assert.Equal(new RestedSaga(await rig.RowAsync(id), Log: null), await runner.WhenAtRestAsync(id, Rig.Ct));
        Assert.Equal([await rig.RowAsync(id)], atRest);
        Assert.Null(await runner.WhenAtRestAsync(Guid.Empty, Rig.Ct));
    }

    [Fact]
    public async Task A_listener_that_throws_does_not_keep_others_waiting()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("dig-hole", Act.Succeed, Act.Keep)));
        var runner = await rig.StartRunnerAsync();
        runner.SagaAtRest += _ => throw new FormatException("planted");

        Assert.Equal(SagaStatus.Done, (await rig.RunToRestAsync(runner)).Status);
        Assert.Equal(SagaStatus.Done, (await rig.RunToRestAsync(runner)).Status);
    }

    [Fact]
    public async Task Steps_of_at_most_so_many_sagas_run_at_the_same_time()
    {
        var gate = new Gate();
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("dig-hole", gate.Around(Act.Succeed), Act.Keep)));
        var runner = await rig.StartRunnerAsync(options: Rig.Options("server-1") with { ParallelismMax = 3 });
        var ids = Enumerable.Range(0, 20).Select(_ => rig.Run(runner)).ToList();

        for (var i = 0; i < 3; i++)
            await gate.EnteredAsync();
        gate.Open();
        foreach (var id in ids)
            await rig.RestAsync(runner, id);

        Assert.Equal(3, gate.InsideMost);
    }

    [Fact]
    public async Task Thousands_of_sagas_come_to_rest_each_with_one_commit_a_step()
    {
        const int sagas = 5_000;
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("dig-hole", Yielding, Act.Keep).Step("line-hole", Act.WaitOnce(Hour), Act.Keep).PointOfNoReturn().ForwardStep("fill-hole", Yielding)));
        var runner = await rig.StartRunnerAsync();
        var rests = Enumerable.Range(0, sagas).Select(_ => runner.WhenAtRestAsync(rig.Run(runner), Rig.Ct)).ToList();

        await rig.AdvanceAsync(runner, Hour);

        Assert.All(await Task.WhenAll(rests), end => Assert.Equal(SagaStatus.Done, end!.Record.Status));
        Assert.Equal(sagas * 4, rig.Memory.CommitCount);
        Assert.Equal(0, runner.HeldCount);

        static async Task<StepOutcome<Tally>> Yielding(Tally s, StepContext step, CancellationToken ct)
        {
            await Task.Yield();
            return StepOutcome<Tally>.Done(s with { Count = s.Count + 1 });
        }
    }
}

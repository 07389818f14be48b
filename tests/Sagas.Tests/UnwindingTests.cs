using ControlPlane.Sagas.Tests.Toys;

namespace ControlPlane.Sagas.Tests;

/// <summary>Turning round, and coming back to the beginning.</summary>
public sealed class UnwindingTests
{
    [Fact]
    public async Task Undo_runs_in_reverse_for_every_started_step_the_failed_one_included()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("dig-hole", Act.Succeed, Act.Keep)
            .Step("pump-water", Act.Succeed, Act.Keep, when: s => s.Note == "wet")
            .Step("line-hole", Act.Fail, Act.Keep)
            .Step("fill-hole", Act.Succeed, Act.Keep))
        {
            WhenUndone = (_, failure) => ToyChanges.Set("operation", failure.Code),
        });
        var runner = await rig.StartRunnerAsync();

        var end = await rig.RunToRestAsync(runner);

        Assert.Equal((SagaStatus.Undone, Act.Broken), (end.Status, end.Failure));
        Assert.Equal(
            [
                ("dig-hole", SagaEvent.Started), ("dig-hole", SagaEvent.Succeeded),
                ("line-hole", SagaEvent.Started), ("line-hole", SagaEvent.Failed),
                ("line-hole", SagaEvent.UndoStarted), ("line-hole", SagaEvent.UndoFinished),
                ("dig-hole", SagaEvent.UndoStarted), ("dig-hole", SagaEvent.UndoFinished),
            ],
            await rig.LogAsync(end.Id));
        Assert.Equal("row operation=broken", rig.Ground.Dump());
    }

    [Fact]
    public async Task A_step_left_out_on_the_way_there_is_left_out_on_the_way_back_even_if_its_condition_has_changed()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("dig-hole", Act.Succeed, Act.Keep)
            .Step("pump-water", Act.Succeed, Act.Fail, when: s => s.Note == "wet")
            .Step("line-hole", (s, _, _) => Task.FromResult(StepOutcome<Tally>.Done(s with { Note = "wet" })), Act.Keep)
            .Step("fill-hole", Act.Fail, Act.Keep)));
        var runner = await rig.StartRunnerAsync();

        var end = await rig.RunToRestAsync(runner);

        Assert.Equal(SagaStatus.Undone, end.Status);
        Assert.DoesNotContain("pump-water", (await rig.LogAsync(end.Id)).Select(e => e.Step));
    }

    [Fact]
    public async Task An_undo_may_wait_and_retry_and_is_stuck_with_both_reasons_when_its_tries_are_used_up()
    {
        var calls = 0;
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("dig-hole", Act.Fail, (s, c, ct) => ++calls == 1 ? Act.WaitOnce(TimeSpan.FromMinutes(1))(s, c, ct) : Act.Retry(s, c, ct))
            .Retry(new RetryPolicy(3, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)))));
        var runner = await rig.StartRunnerAsync();

        var end = await rig.RunToRestAsync(runner);

        Assert.Equal((SagaStatus.Stuck, SagaFailure.Transient, 4), (end.Status, end.Failure!.Code, calls));
        Assert.Contains("Not yet.", end.Failure.Message, StringComparison.Ordinal);
        Assert.Contains("broken: It is broken.", end.Failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_saga_stuck_in_an_undo_resumes_there_and_ends_with_the_failure_that_turned_it_round()
    {
        var broken = true;
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("dig-hole", Act.Succeed, Act.Keep)
            .Step("line-hole", Act.Fail, (s, c, ct) => broken ? Act.Retry(s, c, ct) : Act.Keep(s, c, ct))));
        var runner = await rig.StartRunnerAsync();
        var stuck = await rig.RunToRestAsync(runner);

        broken = false;
        Assert.Equal(ResumeResult.Resumed, await runner.ResumeStuckAsync(stuck.Id, changes: null, Rig.Ct));
        var end = await rig.RestAsync(runner, stuck.Id);

        Assert.Equal((SagaStatus.Stuck, SagaStatus.Undone, Act.Broken), (stuck.Status, end.Status, end.Failure));
    }

    [Fact]
    public async Task A_refused_closing_hook_is_tried_again_and_then_stuck_rather_than_lost()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("dig-hole", Act.Fail, Act.Keep))
        {
            WhenUndone = (_, _) => new ToyChanges([]) { MustBeAbsent = "lock" },
            WhenStuck = (_, _) => new ToyChanges([]) { MustBeAbsent = "lock" },
        });
        rig.Ground.Rows["lock"] = "held";
        var runner = await rig.StartRunnerAsync();

        var end = await rig.RunToRestAsync(runner);

        Assert.Equal((SagaStatus.Stuck, "row-taken"), (end.Status, end.Failure!.Code));
    }

    [Fact]
    public async Task A_closing_hook_that_throws_leaves_no_saga_running()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p.PointOfNoReturn().ForwardStep("dig-hole", Act.Succeed))
        {
            WhenDone = _ => throw new FormatException("planted"),
            WhenStuck = (_, _) => throw new FormatException("planted too"),
        });
        var runner = await rig.StartRunnerAsync();

        var end = await rig.RunToRestAsync(runner);

        Assert.Equal((SagaStatus.Stuck, SagaFailure.Unexpected), (end.Status, end.Failure!.Code));
        Assert.Contains("planted too", end.Failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Past_its_time_limit_a_waiting_saga_turns_round_but_not_past_the_point_of_no_return()
    {
        var limit = TimeSpan.FromMinutes(10);
        await using var rig = new Rig(
            new ScriptedSaga(p => p.Step("wait-rain", Act.WaitOnce(TimeSpan.FromHours(2)), Act.Keep).TimeLimit(_ => limit), "test.before"),
            new ScriptedSaga(
                p => p.PointOfNoReturn().ForwardStep("wait-rain", Act.WaitOnce(TimeSpan.FromHours(2))).TimeLimit(_ => limit), "test.after"));
        var runner = await rig.StartRunnerAsync();
        var began = rig.Time.GetUtcNow();
        var (before, after) = (rig.Insert(kind: "test.before"), rig.Insert(kind: "test.after"));
        runner.Run(before);
        runner.Run(after);

        var turned = await rig.RestAsync(runner, before.Record.Id);
        var turnedAt = rig.Time.GetUtcNow();
        var done = await rig.RestAsync(runner, after.Record.Id);

        Assert.Equal((SagaStatus.Undone, SagaFailure.TimedOut, began + limit), (turned.Status, turned.Failure!.Code, turnedAt));
        Assert.Equal((SagaStatus.Done, began.AddHours(2)), (done.Status, rig.Time.GetUtcNow()));
    }
}

using ControlPlane.Sagas.Tests.Toys;

namespace ControlPlane.Sagas.Tests;

/// <summary>Somebody changes their mind.</summary>
public sealed class CancellingTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task A_waiting_saga_turns_round_at_once_and_its_waiting_step_is_not_called_again()
    {
        var calls = 0;
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("wait-rain", (s, c, ct) => { calls++; return Act.WaitOnce(Hour)(s, c, ct); }, Act.Keep)));
        var runner = await rig.StartRunnerAsync();
        var id = rig.Run(runner);
        await runner.WhenIdleAsync();

        Assert.Equal(CancelResult.Accepted, await runner.RequestCancelAsync(id, Rig.Ct));
        await runner.WhenIdleAsync();

        var end = await rig.RowAsync(id);
        Assert.Equal((SagaStatus.Undone, SagaFailure.Cancelled, 1), (end.Status, end.Failure!.Code, calls));
    }

    [Fact]
    public async Task A_saga_that_backs_off_turns_round_at_once()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("dig-hole", Act.Retry, Act.Keep).Retry(new RetryPolicy(9, Hour, Hour))));
        var runner = await rig.StartRunnerAsync();
        var id = rig.Run(runner);
        await runner.WhenIdleAsync();

        await runner.RequestCancelAsync(id, Rig.Ct);
        await runner.WhenIdleAsync();

        Assert.Equal(SagaStatus.Undone, (await rig.RowAsync(id)).Status);
    }

    [Fact]
    public async Task A_long_step_sees_the_request_and_the_saga_turns_round_at_its_end()
    {
        var gate = new Gate();
        var seen = false;
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("dig-hole", gate.Around(See), Act.Keep).Step("line-hole", Act.Succeed, Act.Keep)));
        var runner = await rig.StartRunnerAsync();
        var id = rig.Run(runner);
        await gate.EnteredAsync();

        await runner.RequestCancelAsync(id, Rig.Ct);
        gate.Open();
        var end = await rig.RestAsync(runner, id);

        Assert.True(seen);
        Assert.Equal((SagaStatus.Undone, SagaFailure.Cancelled), (end.Status, end.Failure!.Code));
        Assert.DoesNotContain("line-hole", (await rig.LogAsync(id)).Select(e => e.Step));

        Task<StepOutcome<Tally>> See(Tally s, StepContext step, CancellationToken ct)
        {
            seen = step.CancelRequested;
            return Act.Succeed(s, step, ct);
        }
    }

    [Fact]
    public async Task Past_the_point_of_no_return_it_is_too_late()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("dig-hole", Act.Succeed, Act.Keep).PointOfNoReturn().ForwardStep("wait-rain", Act.WaitOnce(Hour))));
        var runner = await rig.StartRunnerAsync();
        var id = rig.Run(runner);
        await runner.WhenIdleAsync();

        Assert.Equal(CancelResult.TooLate, await runner.RequestCancelAsync(id, Rig.Ct));
        var end = await rig.RestAsync(runner, id);

        Assert.Equal((SagaStatus.Done, end.CreatedAt + Hour), (end.Status, rig.Time.GetUtcNow()));
        Assert.Equal(CancelResult.TooLate, await runner.RequestCancelAsync(id, Rig.Ct));
        Assert.Equal(CancelResult.NotFound, await runner.RequestCancelAsync(Guid.Empty, Rig.Ct));
    }

    [Fact]
    public async Task A_request_made_on_another_server_is_seen_at_the_next_tick_or_when_it_is_noticed()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("wait-rain", Act.WaitOnce(Hour), Act.Keep)));
        var runner = await rig.StartRunnerAsync();
        var other = await rig.StartRunnerAsync("server-2");
        var (ticked, noticed) = (rig.Run(runner), rig.Run(runner));
        await runner.WhenIdleAsync();

        await other.RequestCancelAsync(noticed, Rig.Ct);
        await runner.NoticeAsync(noticed, Rig.Ct);
        await runner.WhenIdleAsync();
        Assert.Equal(SagaStatus.Undone, (await rig.RowAsync(noticed)).Status);

        await other.RequestCancelAsync(ticked, Rig.Ct);
        Assert.Equal(SagaStatus.Running, (await rig.RowAsync(ticked)).Status);
        await rig.AdvanceAsync(runner, Rig.Lease / 3);
        Assert.Equal(SagaStatus.Undone, (await rig.RowAsync(ticked)).Status);
    }

    [Fact]
    public async Task A_saga_cancelled_while_its_server_was_dead_turns_round_on_the_next()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("dig-hole", Act.Succeed, Act.Keep)));
        var start = rig.Insert(owner: "server-0");
        await rig.Memory.RequestCancelAsync(start.Record.Id, Rig.Ct);
        rig.Time.Advance(Rig.Lease * 2);

        var runner = await rig.StartRunnerAsync();
        var end = await rig.RestAsync(runner, start.Record.Id);

        Assert.Equal((SagaStatus.Undone, SagaFailure.Cancelled), (end.Status, end.Failure!.Code));
    }

    [Theory]
    [InlineData("waits")]
    [InlineData("fails")]
    public async Task A_saga_whose_last_step_cannot_be_taken_back_any_more_goes_forward_to_its_end(string how)
    {
        var isOver = false;
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("dig-hole", Act.Succeed, Act.Keep)
            .Step("light-fuse", how == "waits" ? Act.WaitOnce(Hour) : Act.Fail, TooLate)
            .Step("pump-water", Act.Succeed, Act.Keep, when: s => s.Note == "wet")
            .PointOfNoReturn()
            .ForwardStep("clear-rubble", (s, c, ct) => isOver ? Act.Succeed(s, c, ct) : Act.Fail(s, c, ct))));
        var runner = await rig.StartRunnerAsync();
        var id = rig.Run(runner);
        await runner.WhenIdleAsync();
        if (how == "waits")
            await runner.RequestCancelAsync(id, Rig.Ct);
        await runner.WhenIdleAsync();

        // Stuck past its point of no return, it goes on forward when it is resumed, and does not turn round.
        Assert.Equal(SagaStatus.Stuck, (await rig.RowAsync(id)).Status);
        isOver = true;
        Assert.Equal(ResumeResult.Resumed, await runner.ResumeStuckAsync(id, null, Rig.Ct));
        var end = await rig.RestAsync(runner, id);

        Assert.Equal((SagaStatus.Done, null), (end.Status, end.Failure));
        Assert.Equal(
            [
                ("dig-hole", SagaEvent.Started), ("dig-hole", SagaEvent.Succeeded), ("light-fuse", SagaEvent.Started), ("light-fuse", SagaEvent.Failed),
                ("light-fuse", SagaEvent.UndoStarted), ("light-fuse", SagaEvent.Succeeded), ("clear-rubble", SagaEvent.Started),
                ("clear-rubble", SagaEvent.Failed), ("clear-rubble", SagaEvent.Started), ("clear-rubble", SagaEvent.Succeeded),
            ],
            (await rig.LogAsync(id)).Select(e => (e.Step, e.Event)));
    }

    [Fact]
    public async Task Only_the_undo_of_the_last_step_before_the_point_of_no_return_can_be_too_late()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("light-fuse", Act.Succeed, TooLate)
            .Step("dig-hole", Act.Fail, Act.Keep)
            .PointOfNoReturn()
            .ForwardStep("clear-rubble", Act.Succeed)));
        var runner = await rig.StartRunnerAsync();

        var end = await rig.RunToRestAsync(runner);

        Assert.Equal((SagaStatus.Stuck, "burnt"), (end.Status, end.Failure!.Code));
    }

    private static readonly StepAction<Tally> TooLate = (_, _, _) => Task.FromResult(StepOutcome<Tally>.TooLate(new SagaFailure("burnt", "The fuse has burnt down.")));
}

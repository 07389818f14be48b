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
}

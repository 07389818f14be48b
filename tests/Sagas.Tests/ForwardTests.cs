using ControlPlane.Sagas.Tests.Toys;

namespace ControlPlane.Sagas.Tests;

/// <summary>From the first step to the last.</summary>
public sealed class ForwardTests
{
    [Fact]
    public async Task The_end_of_a_step_and_the_start_of_the_next_are_one_commit()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("dig-hole", Act.Succeed, Act.Keep).Step("line-hole", Act.Succeed, Act.Keep).PointOfNoReturn().ForwardStep("fill-hole", Act.Succeed)));
        var runner = await rig.StartRunnerAsync();

        var end = await rig.RunToRestAsync(runner);

        Assert.Equal((SagaStatus.Done, """{"count":3,"note":""}"""), (end.Status, end.State));
        Assert.Equal(3, rig.Memory.CommitCount);
        Assert.Equal(6, end.LogLength);
    }

    [Fact]
    public async Task A_step_that_is_left_out_is_not_logged_wherever_it_stands()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("find-spade", Act.Fail, Act.Keep, when: s => s.Count > 0)
            .Step("dig-hole", Act.Succeed, Act.Keep)
            .Step("pump-water", Act.Fail, Act.Keep, when: s => s.Count > 1)
            .Step("line-hole", Act.Succeed, Act.Keep, when: s => s.Count == 1)
            .PointOfNoReturn()
            .ForwardStep("fill-hole", Act.Succeed)
            .ForwardStep("plant-tree", Act.Fail, when: s => s.Note == "tree")));
        var runner = await rig.StartRunnerAsync();

        var end = await rig.RunToRestAsync(runner);

        Assert.Equal(SagaStatus.Done, end.Status);
        Assert.Equal(["dig-hole", "line-hole", "fill-hole"], (await rig.LogAsync(end.Id)).Where(e => e.Event == SagaEvent.Started).Select(e => e.Step));
    }

    [Fact]
    public async Task Changes_of_the_last_step_and_of_the_closing_hook_are_one_commit()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("dig-hole", Act.Change(ToyChanges.Set("hole", "dug")), Act.Keep))
        {
            WhenDone = _ => ToyChanges.Set("operation", "succeeded"),
        });
        var runner = await rig.StartRunnerAsync();

        await rig.RunToRestAsync(runner);

        Assert.Equal(1, rig.Memory.CommitCount);
        Assert.Equal("row hole=dug\nrow operation=succeeded", rig.Ground.Dump());
    }

    [Fact]
    public async Task A_transient_fault_is_tried_again_with_back_off_and_a_bound()
    {
        var calls = new List<(int Attempt, DateTimeOffset At)>();
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("dig-hole", Recording(calls, Act.Retry), Act.Keep)
            .Retry(new RetryPolicy(4, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60)))));
        var runner = await rig.StartRunnerAsync();

        var end = await rig.RunToRestAsync(runner);

        Assert.Equal((SagaStatus.Undone, SagaFailure.Transient), (end.Status, end.Failure!.Code));
        Assert.Equal([1, 2, 3, 4], calls.Select(c => c.Attempt));
        var gaps = calls.Zip(calls.Skip(1), (a, b) => (b.At - a.At).TotalSeconds).ToList();
        Assert.All(gaps, (gap, i) => Assert.InRange(gap, Math.Pow(2, i) * 0.8, Math.Pow(2, i)));
    }

    [Fact]
    public async Task An_exception_is_logged_and_tried_again_like_any_transient_fault()
    {
        var calls = 0;
        await using var rig = new Rig(new ScriptedSaga(p => p.Step(
            "dig-hole", (s, _, _) => ++calls == 1 ? throw new FormatException("planted") : Act.Succeed(s, null!, default), Act.Keep)));
        var runner = await rig.StartRunnerAsync();

        var end = await rig.RunToRestAsync(runner);

        Assert.Equal((SagaStatus.Done, 2), (end.Status, calls));
        Assert.Contains(rig.Log.Messages, m => m.Exception is FormatException && m.Message.Contains("dig-hole", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_step_that_always_throws_fails_with_what_it_threw()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("dig-hole", (_, _, _) => throw new FormatException("planted"), Act.Keep)));
        var runner = await rig.StartRunnerAsync();

        var end = await rig.RunToRestAsync(runner);

        Assert.Equal((SagaStatus.Undone, new SagaFailure(SagaFailure.Unexpected, "planted")), (end.Status, end.Failure));
    }

    [Fact]
    public async Task A_step_that_answers_nothing_fails_instead_of_stopping_the_runner()
    {
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("dig-hole", (_, _, _) => Task.FromResult<StepOutcome<Tally>>(null!), Act.Keep)));
        var runner = await rig.StartRunnerAsync();

        var end = await rig.RunToRestAsync(runner);

        Assert.Equal((SagaStatus.Undone, SagaFailure.Unexpected), (end.Status, end.Failure!.Code));
    }

    [Fact]
    public async Task Refused_changes_are_the_steps_failure()
    {
        var refused = new ToyChanges([("plot", "mine")]) { MustBeAbsent = "plot" };
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("take-plot", Act.Change(refused), Act.Keep)));
        rig.Ground.Rows["plot"] = "theirs";
        var runner = await rig.StartRunnerAsync();

        var end = await rig.RunToRestAsync(runner);

        Assert.Equal((SagaStatus.Undone, "row-taken"), (end.Status, end.Failure!.Code));
        Assert.Equal("theirs", rig.Ground.Rows["plot"]);
    }

    [Fact]
    public async Task Refused_changes_make_the_step_decide_anew_where_the_plan_says_so()
    {
        var calls = 0;
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("take-plot", TakeFreePlot, Act.Keep, refused: RefusedChanges.Retry)));
        rig.Ground.Rows["plot-1"] = "theirs";
        var runner = await rig.StartRunnerAsync();

        var end = await rig.RunToRestAsync(runner);

        Assert.Equal((SagaStatus.Done, 2), (end.Status, calls));
        Assert.Equal("mine", rig.Ground.Rows["plot-2"]);

        Task<StepOutcome<Tally>> TakeFreePlot(Tally s, StepContext step, CancellationToken ct)
        {
            var plot = $"plot-{++calls}";
            return Act.Change(new ToyChanges([(plot, "mine")]) { MustBeAbsent = plot })(s, step, ct);
        }
    }

    [Fact]
    public async Task After_the_point_of_no_return_a_failure_is_stuck_with_its_reason_and_resumes_there()
    {
        var broken = true;
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("dig-hole", Act.Succeed, Act.Fail).PointOfNoReturn()
            .ForwardStep("fill-hole", (s, c, ct) => broken ? Act.Fail(s, c, ct) : Act.Succeed(s, c, ct)))
        {
            WhenStuck = (_, failure) => ToyChanges.Set("operation", failure.Code),
            WhenDone = _ => ToyChanges.Set("operation", "succeeded"),
        });
        var runner = await rig.StartRunnerAsync();

        var stuck = await rig.RunToRestAsync(runner);

        Assert.Equal((SagaStatus.Stuck, Act.Broken), (stuck.Status, stuck.Failure));
        Assert.Equal("row operation=broken", rig.Ground.Dump());

        broken = false;
        Assert.Equal(ResumeResult.Resumed, await runner.ResumeStuckAsync(stuck.Id, ToyChanges.Set("operation", "running"), Rig.Ct));
        var end = await rig.RestAsync(runner, stuck.Id);

        Assert.Equal((SagaStatus.Done, null, """{"count":2,"note":""}"""), (end.Status, end.Failure, end.State));
        Assert.Equal("row operation=succeeded", rig.Ground.Dump());
        Assert.Equal(ResumeResult.NotStuck, await runner.ResumeStuckAsync(stuck.Id, changes: null, Rig.Ct));
    }

    [Fact]
    public async Task A_step_knows_its_key_its_try_and_its_beginning()
    {
        var contexts = new List<StepContext>();
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("dig-hole", Act.Succeed, Act.Keep)
            .Step("wait-rain", (s, c, ct) => { contexts.Add(c); return Act.WaitOnce(TimeSpan.FromMinutes(3))(s, c, ct); }, Act.Keep)));
        var runner = await rig.StartRunnerAsync();
        var began = rig.Time.GetUtcNow();

        var end = await rig.RunToRestAsync(runner);

        Assert.Equal(2, contexts.Count);
        Assert.All(contexts, c => Assert.Equal(($"{end.Id:N}/wait-rain", 1, 1L, began), (c.Key, c.Attempt, c.LeaseGeneration, c.StartedAt)));
        Assert.Equal(began.AddMinutes(3), rig.Time.GetUtcNow());
    }

    private static StepAction<Tally> Recording(List<(int, DateTimeOffset)> calls, StepAction<Tally> action) => (s, c, ct) =>
    {
        calls.Add((c.Attempt, c.Now));
        return action(s, c, ct);
    };
}

using ControlPlane.Sagas.Tests.Toys;

namespace ControlPlane.Sagas.Tests;

/// <summary>A server ends on purpose.</summary>
public sealed class StoppingTests
{
    [Fact]
    public async Task Stopping_finishes_the_commit_under_way_and_gives_the_leases_back()
    {
        var gate = new Gate();
        await using var rig = new Rig(new ScriptedSaga(p => p
            .Step("dig-hole", gate.Around(Act.Succeed), Act.Keep).Step("line-hole", Act.Succeed, Act.Keep)));
        var first = await rig.StartRunnerAsync();
        var id = rig.Run(first);
        await gate.EnteredAsync();

        var stopped = first.StopAsync(TimeSpan.FromSeconds(5));
        gate.Open();
        await stopped;
        var between = await rig.RowAsync(id);
        rig.Time.Advance(TimeSpan.FromMilliseconds(1));
        var second = await rig.StartRunnerAsync("server-2");
        var end = await rig.RestAsync(second, id);

        Assert.Equal((SagaStatus.Running, 1, """{"count":1,"note":""}"""), (between.Status, between.NextStep, between.State));
        Assert.Equal((SagaStatus.Done, "server-2", """{"count":2,"note":""}"""), (end.Status, end.Owner, end.State));
        Assert.Equal(between.CreatedAt + TimeSpan.FromMilliseconds(1), rig.Time.GetUtcNow());
    }

    [Fact]
    public async Task Stopping_abandons_a_step_that_outlasts_the_time_of_grace()
    {
        var gate = new Gate();
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("dig-hole", gate.Around(Act.Succeed), Act.Keep)));
        var runner = await rig.StartRunnerAsync();
        var id = rig.Run(runner);
        await gate.EnteredAsync();
        var before = await rig.RowAsync(id);

        var stopped = runner.StopAsync(TimeSpan.FromSeconds(5));
        Assert.False(stopped.IsCompleted);
        rig.Time.Advance(TimeSpan.FromSeconds(5));
        await stopped;

        var after = await rig.RowAsync(id);
        Assert.Equal(before with { LeaseUntil = after.LeaseUntil }, after);
        Assert.True(after.LeaseUntil < rig.Time.GetUtcNow());
    }

    [Fact]
    public async Task Stopping_keeps_the_lease_of_a_step_that_will_not_be_abandoned()
    {
        var gate = new Gate();
        await using var rig = new Rig(new ScriptedSaga(p => p.Step("dig-hole", (s, c, _) => gate.Around(Act.Succeed)(s, c, CancellationToken.None), Act.Keep)));
        var runner = await rig.StartRunnerAsync();
        var (deaf, waiting) = (rig.Run(runner), rig.Insert(owner: "server-1"));
        await gate.EnteredAsync();

        var stopped = runner.StopAsync(TimeSpan.FromSeconds(1));
        while (!stopped.IsCompleted)
        {
            rig.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await stopped;
        Assert.Equal(waiting.Record.LeaseUntil, (await rig.RowAsync(deaf)).LeaseUntil);
        gate.Open();
        await runner.WhenIdleAsync();
        Assert.Equal(0, runner.HeldCount);
    }
}

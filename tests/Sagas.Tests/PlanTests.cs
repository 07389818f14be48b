using ControlPlane.Sagas.Tests.Toys;

namespace ControlPlane.Sagas.Tests;

public sealed class PlanTests
{
    [Fact]
    public void A_step_before_the_point_of_no_return_needs_an_undo()
    {
        Assert.Throws<ArgumentException>(() => new SagaPlan<Tally>().Step("build-wall", Act.Succeed, undo: null!));
        Assert.Throws<InvalidOperationException>(() => new SagaPlan<Tally>().ForwardStep("build-wall", Act.Succeed));
    }

    [Fact]
    public void A_step_after_the_point_of_no_return_may_not_have_an_undo()
    {
        var plan = new SagaPlan<Tally>().PointOfNoReturn();

        Assert.Throws<InvalidOperationException>(() => plan.Step("build-wall", Act.Succeed, Act.Keep));
    }

    [Fact]
    public void A_plan_turns_at_one_point_only_and_not_at_its_end()
    {
        Assert.Throws<InvalidOperationException>(() => new SagaPlan<Tally>().PointOfNoReturn().PointOfNoReturn());
        Assert.Throws<InvalidOperationException>(
            () => new SagaRegistry([new ScriptedSaga(p => p.Step("build-wall", Act.Succeed, Act.Keep).PointOfNoReturn())]));
    }

    [Fact]
    public void Two_steps_never_share_a_name()
    {
        var plan = new SagaPlan<Tally>().Step("build-wall", Act.Succeed, Act.Keep).PointOfNoReturn();

        Assert.Throws<ArgumentException>(() => plan.ForwardStep("build-wall", Act.Succeed));
    }

    [Theory]
    [InlineData("build")]
    [InlineData("Build-wall")]
    [InlineData("build_wall")]
    [InlineData("build-")]
    [InlineData("-wall")]
    [InlineData("build wall")]
    [InlineData("")]
    public void A_steps_name_is_kebab_case_verb_and_object(string name) =>
        Assert.Throws<ArgumentException>(() => new SagaPlan<Tally>().Step(name, Act.Succeed, Act.Keep));

    [Fact]
    public void A_plan_has_between_one_step_and_its_most()
    {
        var plan = new SagaPlan<Tally>();
        for (var i = 0; i < SagaPlan<Tally>.StepsMax; i++)
            plan.Step($"lay-brick-{i}", Act.Succeed, Act.Keep);

        Assert.Throws<ArgumentException>(() => plan.Step("lay-last-brick", Act.Succeed, Act.Keep));
        Assert.Throws<InvalidOperationException>(() => new SagaRegistry([new ScriptedSaga(_ => { })]));
    }

    [Fact]
    public void The_registry_describes_every_plan()
    {
        var registry = new SagaRegistry(
            [new ScriptedSaga(Define, "b.two", version: 2), new ScriptedSaga(Define, "b.two"), new ScriptedSaga(Define, "a.one")]);

        Assert.Equal([("a.one", 1), ("b.two", 1), ("b.two", 2)], registry.Descriptions.Select(d => (d.Kind, d.Version)));
        SagaStepDescription[] steps = [new("dig-hole", true, false), new("line-hole", true, true), new("fill-hole", false, false)];
        Assert.Equal(steps, registry.Find("b.two", 2)!.Steps);
        Assert.Null(registry.Find("b.two", 3));

        static void Define(SagaPlan<Tally> plan) => plan
            .Step("dig-hole", Act.Succeed, Act.Keep)
            .Step("line-hole", Act.Succeed, Act.Keep, when: s => s.Count > 0)
            .PointOfNoReturn()
            .ForwardStep("fill-hole", Act.Succeed);
    }

    [Fact]
    public void Two_sagas_never_share_kind_and_version() =>
        Assert.Throws<ArgumentException>(() => new SagaRegistry([Simple(), Simple()]));

    [Fact]
    public void A_new_saga_is_of_the_newest_version_and_already_leased_to_this_server()
    {
        var registry = new SagaRegistry([new ScriptedSaga(p => p.Step("dig-hole", Act.Succeed, Act.Keep), version: 2), Simple()]);
        var clock = new Testing.FakeTime();

        var start = new SagaFactory(registry, Rig.Options("server-9"), clock).Create("test.script", Guid.Empty, new Tally(Count: 3));

        Assert.Equal((2, "server-9", clock.GetUtcNow() + Rig.Lease), (start.Record.Version, start.Record.Owner, start.Record.LeaseUntil));
        Assert.Equal(new SagaLogEntry(0, "dig-hole", SagaEvent.Started, clock.GetUtcNow(), Detail: null), start.FirstEntry);
        Assert.Equal(1, start.Record.LogLength);
        Assert.Equal("""{"count":3,"note":""}""", start.Record.State);
    }

    [Fact]
    public void A_saga_that_has_nothing_to_do_or_another_state_is_not_made()
    {
        var never = new ScriptedSaga(p => p.Step("dig-hole", Act.Succeed, Act.Keep, when: _ => false));
        var factory = new SagaFactory(new SagaRegistry([never]), Rig.Options("server-1"), new Testing.FakeTime());

        Assert.Throws<ArgumentException>(() => factory.Create("test.script", Guid.Empty, new Tally()));
        Assert.Throws<ArgumentException>(() => factory.Create("test.script", Guid.Empty, "not a tally"));
        Assert.Throws<ArgumentException>(() => factory.Create("test.other", Guid.Empty, new Tally()));
    }

    [Fact]
    public void Back_off_doubles_to_its_most_and_spreads_sagas_by_up_to_a_fifth()
    {
        var policy = new RetryPolicy(10, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));
        var random = new Random(7);
        var bytes = new byte[16];

        for (var i = 0; i < 1000; i++)
        {
            random.NextBytes(bytes);
            var saga = new Guid(bytes);
            for (var attempt = 1; attempt < policy.TriesMax; attempt++)
            {
                var whole = Math.Min(Math.Pow(2, attempt - 1), 5);
                Assert.InRange(policy.Delay(attempt, saga).TotalSeconds, whole * 0.8, whole);
            }

            Assert.Equal(policy.Delay(3, saga), policy.Delay(3, saga));
        }
    }

    private static ScriptedSaga Simple() => new(p => p.Step("dig-hole", Act.Succeed, Act.Keep));
}

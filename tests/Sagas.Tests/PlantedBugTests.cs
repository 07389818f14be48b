using ControlPlane.Sagas;
using ControlPlane.Sagas.Tests.Toys;
using ControlPlane.Testing.SagaLaws;

namespace ControlPlane.Sagas.Tests;

/// <summary>The laws are worth their time only if they find the bugs that sagas have.</summary>
public sealed class PlantedBugTests
{
    [Fact]
    public async Task A_saga_without_bugs_breaks_no_law() => Assert.Empty(await BrokenLawsAsync(g => new BuildHouseSaga(g)));

    [Fact]
    public async Task An_undo_that_does_nothing_is_found() =>
        Assert.Contains((SagaLaw.FailureAfterAction, "build-wall"), await BrokenLawsAsync(g => new EmptyUndo(g)));

    [Fact]
    public async Task An_undo_that_relies_on_a_whole_step_is_found() =>
        Assert.Contains((SagaLaw.FailureInsteadOfAction, "build-wall"), await BrokenLawsAsync(g => new UndoOfWholeStepsOnly(g)));

    [Fact]
    public async Task An_undo_that_cannot_be_repeated_is_found() =>
        Assert.Contains((SagaLaw.RepeatedUndo, "build-wall"), await BrokenLawsAsync(g => new UndoOnlyOnce(g)));

    [Fact]
    public async Task An_action_that_cannot_be_repeated_is_found()
    {
        var broken = await BrokenLawsAsync(g => new WallUponWall(g));

        Assert.Contains((SagaLaw.RepeatedAction, "build-wall"), broken);
        Assert.Contains((SagaLaw.TransientFaultAfterAction, "build-wall"), broken);
        Assert.Contains((SagaLaw.CrashBeforeCommit, "build-wall"), broken);
    }

    [Fact]
    public async Task Something_remembered_outside_the_state_is_found() =>
        Assert.Contains((SagaLaw.CrashAfterCommit, "reserve-plot"), await BrokenLawsAsync(g => new Forgetful(g)));

    [Fact]
    public async Task A_saga_that_never_rests_is_found()
    {
        var proof = new SagaLawProof(new Subject(g => new NeverEnding(g)));

        var found = await Assert.ThrowsAsync<TimeoutException>(() => proof.HoldsAsync("with-door", SagaLaw.RunsItsSteps, ""));

        Assert.Contains("paint-wall Started", found.Message, StringComparison.Ordinal);
    }

    private static async Task<List<(SagaLaw Law, string Step)>> BrokenLawsAsync(Func<ToyGround, BuildHouseSaga> saga)
    {
        var proof = new SagaLawProof(new Subject(saga));
        var broken = new List<(SagaLaw, string)>();
        foreach (var (scenario, law, step) in proof.Cases)
        {
            if (await Record.ExceptionAsync(() => proof.HoldsAsync(scenario, law, step)) is not null)
                broken.Add((law, step));
        }

        return broken;
    }

    private sealed class Subject(Func<ToyGround, BuildHouseSaga> saga) : ISagaLawSubject
    {
        public Saga Saga => saga(new ToyGround());

        public IReadOnlyList<SagaScenario> Scenarios { get; } = [new("with-door")];

        public Task<ISagaWorld> CreateWorldAsync(SagaScenario scenario) =>
            Task.FromResult<ISagaWorld>(new ToyWorld<BuildHouseSaga.State>((ground, _) => saga(ground), new BuildHouseSaga.State(WithDoor: true)));
    }

    private sealed class EmptyUndo(ToyGround ground) : BuildHouseSaga(ground)
    {
        protected override Task<StepOutcome<State>> TearWall(State s, StepContext step, CancellationToken ct) => Task.FromResult(Done(s));
    }

    private sealed class UndoOfWholeStepsOnly(ToyGround ground) : BuildHouseSaga(ground)
    {
        protected override Task<StepOutcome<State>> TearWall(State s, StepContext step, CancellationToken ct) =>
            Ground.Host.ContainsKey("wall") ? base.TearWall(s, step, ct) : Task.FromResult(Fail(new SagaFailure("no-wall", "There is no wall.")));
    }

    private sealed class UndoOnlyOnce(ToyGround ground) : BuildHouseSaga(ground)
    {
        protected override Task<StepOutcome<State>> TearWall(State s, StepContext step, CancellationToken ct)
        {
            Ground.Host["holes"] = Ground.Host.ContainsKey("wall") ? "none" : "one";
            if (Ground.Host["holes"] == "none")
                Ground.Host.Remove("holes");
            return base.TearWall(s, step, ct);
        }
    }

    private sealed class WallUponWall(ToyGround ground) : BuildHouseSaga(ground)
    {
        protected override Task<StepOutcome<State>> BuildWall(State s, StepContext step, CancellationToken ct)
        {
            Ground.Host["bricks"] = Ground.Host.GetValueOrDefault("bricks") + "#";
            return base.BuildWall(s, step, ct);
        }
    }

    private sealed class Forgetful(ToyGround ground) : BuildHouseSaga(ground)
    {
        private string? plot;

        protected override Task<StepOutcome<State>> ReservePlot(State s, StepContext step, CancellationToken ct)
        {
            plot = "plot-7";
            return base.ReservePlot(s, step, ct);
        }

        protected override Task<StepOutcome<State>> BuildWall(State s, StepContext step, CancellationToken ct)
        {
            Ground.Host["nameplate"] = plot ?? "unknown";
            return base.BuildWall(s, step, ct);
        }

        protected override Task<StepOutcome<State>> TearWall(State s, StepContext step, CancellationToken ct)
        {
            Ground.Host.Remove("nameplate");
            return base.TearWall(s, step, ct);
        }
    }

    private sealed class NeverEnding(ToyGround ground) : BuildHouseSaga(ground)
    {
        protected override Task<StepOutcome<State>> PaintWall(State s, StepContext step, CancellationToken ct) =>
            Task.FromResult(WaitFor(s, TimeSpan.FromHours(5)));
    }
}

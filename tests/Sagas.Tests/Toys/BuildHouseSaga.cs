using ControlPlane.Sagas;

namespace ControlPlane.Sagas.Tests.Toys;

/// <summary>
/// A plot is reserved, a wall built, a door hung where one is wanted, paint dries; then the house is handed over. The shape of every
/// real saga: rows, things on a host, a wait, a step that may be left out, and a point of no return.
/// </summary>
internal class BuildHouseSaga(ToyGround ground) : Saga<BuildHouseSaga.State>
{
    public sealed record State(bool WithDoor, string? Plot = null, DateTimeOffset? DryAt = null);

    public override string Kind => "house.build";

    protected ToyGround Ground { get; } = ground;

    protected internal override void Define(SagaPlan<State> plan) => plan
        .Step("reserve-plot", ReservePlot, undo: ReleasePlot)
        .Step("build-wall", BuildWall, undo: TearWall)
        .Step("hang-door", HangDoor, undo: UnhangDoor, when: s => s.WithDoor)
        .Step("paint-wall", PaintWall, undo: ScrapePaint)
        .PointOfNoReturn()
        .ForwardStep("hand-over", HandOver)
        .ForwardStep("clear-site", ClearSite);

    protected internal override IChangeSet? OnDone(State state, SagaEnd end) => ToyChanges.Set("end", "done");

    protected virtual Task<StepOutcome<State>> ReservePlot(State s, StepContext step, CancellationToken ct) =>
        Task.FromResult(Done(s with { Plot = "plot-7" }, ToyChanges.Set("plot-7", "reserved")));

    protected virtual Task<StepOutcome<State>> ReleasePlot(State s, StepContext step, CancellationToken ct) =>
        Task.FromResult(Done(s with { Plot = null }, ToyChanges.Set("plot-7", value: null)));

    protected virtual Task<StepOutcome<State>> BuildWall(State s, StepContext step, CancellationToken ct)
    {
        Ground.Host["scaffold"] = s.Plot!;
        Ground.Host["wall"] = s.Plot!;
        return Task.FromResult(Done(s));
    }

    protected virtual Task<StepOutcome<State>> TearWall(State s, StepContext step, CancellationToken ct)
    {
        Ground.Host.Remove("wall");
        Ground.Host.Remove("scaffold");
        return Task.FromResult(Done(s));
    }

    private Task<StepOutcome<State>> HangDoor(State s, StepContext step, CancellationToken ct)
    {
        Ground.Host["door"] = "hung";
        return Task.FromResult(Done(s));
    }

    private Task<StepOutcome<State>> UnhangDoor(State s, StepContext step, CancellationToken ct)
    {
        Ground.Host.Remove("door");
        return Task.FromResult(Done(s));
    }

    protected virtual Task<StepOutcome<State>> PaintWall(State s, StepContext step, CancellationToken ct)
    {
        if (s.DryAt is null)
        {
            Ground.Host["wall"] = "painted";
            var dryAt = step.Now.AddMinutes(20);
            return Task.FromResult(WaitUntil(s with { DryAt = dryAt }, dryAt, ToyChanges.Set("paint", "wet")));
        }

        return Task.FromResult(step.Now < s.DryAt ? WaitUntil(s, s.DryAt.Value) : Done(s, ToyChanges.Set("paint", "dry")));
    }

    private Task<StepOutcome<State>> ScrapePaint(State s, StepContext step, CancellationToken ct)
    {
        Ground.Host["wall"] = s.Plot!;
        return Task.FromResult(Done(s with { DryAt = null }, ToyChanges.Set("paint", value: null)));
    }

    private Task<StepOutcome<State>> HandOver(State s, StepContext step, CancellationToken ct) =>
        Task.FromResult(Done(s, ToyChanges.Set("plot-7", "owned")));

    private Task<StepOutcome<State>> ClearSite(State s, StepContext step, CancellationToken ct)
    {
        Ground.Host.Remove("scaffold");
        return Task.FromResult(Done(s, ToyChanges.Set("site", "clear")));
    }
}

/// <summary>Nothing of it can be undone.</summary>
internal sealed class RazeHouseSaga(ToyGround ground) : Saga<RazeHouseSaga.State>
{
    public sealed record State(string Plot);

    public override string Kind => "house.raze";

    protected internal override void Define(SagaPlan<State> plan) => plan
        .PointOfNoReturn()
        .ForwardStep("raze-wall", RazeWall)
        .ForwardStep("free-plot", FreePlot);

    private Task<StepOutcome<State>> RazeWall(State s, StepContext step, CancellationToken ct)
    {
        ground.Host["rubble"] = s.Plot;
        return Task.FromResult(Done(s));
    }

    private Task<StepOutcome<State>> FreePlot(State s, StepContext step, CancellationToken ct)
    {
        ground.Host.Remove("rubble");
        return Task.FromResult(Done(s, ToyChanges.Set("plot", "free")));
    }
}

/// <summary>All of it can be undone.</summary>
internal sealed class RentHouseSaga(ToyGround ground) : Saga<RentHouseSaga.State>
{
    public sealed record State(string Tenant);

    public override string Kind => "house.rent";

    protected internal override void Define(SagaPlan<State> plan) => plan
        .Step("sign-lease", (s, _, _) => Task.FromResult(Done(s, ToyChanges.Set("lease", s.Tenant))), undo: TearLease)
        .Step("give-key", GiveKey, undo: TakeKey);

    private Task<StepOutcome<State>> TearLease(State s, StepContext step, CancellationToken ct) =>
        Task.FromResult(Done(s, ToyChanges.Set("lease", value: null)));

    private Task<StepOutcome<State>> GiveKey(State s, StepContext step, CancellationToken ct)
    {
        ground.Host["key"] = s.Tenant;
        return Task.FromResult(Done(s));
    }

    private Task<StepOutcome<State>> TakeKey(State s, StepContext step, CancellationToken ct)
    {
        ground.Host.Remove("key");
        return Task.FromResult(Done(s));
    }
}

using System.Text.RegularExpressions;

namespace ControlPlane.Sagas;

/// <summary>What becomes of a step whose changes the store refuses.</summary>
public enum RefusedChanges
{
    /// <summary>The refusal is the step's failure.</summary>
    Fail,

    /// <summary>The step is called again and decides anew: for a compare-and-set that lost against another writer.</summary>
    Retry,
}

/// <summary>
/// The steps of a saga in their order. Before the point of no return each step has an undo, and a failure unwinds; after it none has
/// one, and a failure is tried again until the saga is stuck. A plan that breaks a rule throws where it is written.
/// </summary>
public sealed partial class SagaPlan<TState> where TState : class
{
    /// <summary>A longer plan does not read top to bottom any more: it is two sagas.</summary>
    public const int StepsMax = 10;

    private readonly List<PlannedStep<TState>> steps = [];
    private int? pointOfNoReturn;

    internal IReadOnlyList<PlannedStep<TState>> Steps => steps;

    /// <summary>The index of the first step that is never undone; the number of steps when all are.</summary>
    internal int PointOfNoReturnIndex => pointOfNoReturn ?? steps.Count;

    internal RetryPolicy RetryPolicy { get; private set; } = RetryPolicy.Default;

    internal Func<TState, TimeSpan?> TimeAllowed { get; private set; } = static _ => null;

    /// <summary>A step before the point of no return.</summary>
    /// <param name="name">Kebab-case, verb first: <c>reserve-target</c>.</param>
    /// <param name="undo">Runs when the step was started, even if it never finished.</param>
    /// <param name="when">The step is left out, and not logged, where this is false. Must depend on the state alone.</param>
    public SagaPlan<TState> Step(
        string name, StepAction<TState> @do, StepAction<TState> undo, Func<TState, bool>? when = null,
        RefusedChanges refused = RefusedChanges.Fail)
    {
        if (undo is null)
            throw new ArgumentException($"'{name}' has no undo: before the point of no return each step needs one.", nameof(undo));
        if (pointOfNoReturn is not null)
            throw new InvalidOperationException($"'{name}' has an undo: after the point of no return no step may have one.");
        return Add(new PlannedStep<TState>(name, @do, undo, when, refused));
    }

    /// <summary>Above this line the saga can turn round; below it only goes forward.</summary>
    public SagaPlan<TState> PointOfNoReturn()
    {
        if (pointOfNoReturn is not null)
            throw new InvalidOperationException("A plan has one point of no return.");
        pointOfNoReturn = steps.Count;
        return this;
    }

    /// <summary>A step after the point of no return: tried again until it succeeds or the saga is stuck.</summary>
    /// <inheritdoc cref="Step"/>
    public SagaPlan<TState> ForwardStep(
        string name, StepAction<TState> @do, Func<TState, bool>? when = null, RefusedChanges refused = RefusedChanges.Retry)
    {
        if (pointOfNoReturn is null)
            throw new InvalidOperationException($"'{name}' has no undo: before the point of no return each step needs one.");
        return Add(new PlannedStep<TState>(name, @do, Undo: null, when, refused));
    }

    /// <summary>Instead of <see cref="RetryPolicy.Default"/>.</summary>
    public SagaPlan<TState> Retry(RetryPolicy policy)
    {
        RetryPolicy = policy;
        return this;
    }

    /// <summary>
    /// How long after its creation the saga may still pass the point of no return; later it unwinds with
    /// <see cref="SagaFailure.TimedOut"/>, also out of a waiting step. Null: for ever.
    /// </summary>
    public SagaPlan<TState> TimeLimit(Func<TState, TimeSpan?> timeAllowed)
    {
        TimeAllowed = timeAllowed;
        return this;
    }

    internal void RequireComplete(string kind)
    {
        if (steps.Count == 0)
            throw new InvalidOperationException($"The plan of '{kind}' has no steps.");
        if (pointOfNoReturn == steps.Count)
            throw new InvalidOperationException($"The plan of '{kind}' has a point of no return with no step behind it.");
    }

    private SagaPlan<TState> Add(PlannedStep<TState> step)
    {
        if (!VerbObject().IsMatch(step.Name))
            throw new ArgumentException($"'{step.Name}' is not a step's name: kebab-case, verb first, as in 'reserve-target'.", nameof(step));
        if (steps.Exists(s => s.Name == step.Name))
            throw new ArgumentException($"The plan has a step '{step.Name}' already.", nameof(step));
        if (steps.Count == StepsMax)
            throw new ArgumentException($"'{step.Name}' is one step too many: a plan has at most {StepsMax}.", nameof(step));
        steps.Add(step);
        return this;
    }

    [GeneratedRegex("^[a-z]+(-[a-z0-9]+)+$", RegexOptions.ExplicitCapture)]
    private static partial Regex VerbObject();
}

internal sealed record PlannedStep<TState>(
    string Name, StepAction<TState> Do, StepAction<TState>? Undo, Func<TState, bool>? When, RefusedChanges Refused) where TState : class;

using System.Reflection;
using ControlPlane.Sagas;

namespace ControlPlane.Testing.SagaLaws;

/// <summary>Which laws can be asked at which steps of a plan.</summary>
public static class SagaLawCases
{
    public static IEnumerable<SagaStepDescription> StepsOf(SagaDescription plan, SagaScenario scenario) =>
        plan.Steps.Where(s => !scenario.LeftOut.Contains(s.Name));

    public static IEnumerable<(string Scenario, SagaLaw Law, string Step)> Of(SagaDescription plan, SagaScenario scenario)
    {
        var steps = StepsOf(plan, scenario).ToList();
        yield return (scenario.Name, SagaLaw.RunsItsSteps, "");
        yield return (scenario.Name, SagaLaw.CrashBeforeFirstAction, steps[0].Name);
        foreach (var step in steps)
        {
            foreach (var law in step.CanBeUndone ? [.. Everywhere, .. WhereUndone] : Everywhere.Append(SagaLaw.StuckStep))
                yield return (scenario.Name, law, step.Name);
        }
    }

    /// <summary>Kind and version of every saga that the law tests of an assembly prove.</summary>
    public static IReadOnlyCollection<(string Kind, int Version)> ProvenIn(Assembly tests) =>
        [.. tests.GetTypes().Where(t => !t.IsAbstract).Select(SubjectOf).OfType<ISagaLawSubject>().Select(s => (s.Saga.Kind, s.Saga.Version)).Distinct()];

    private static readonly SagaLaw[] Everywhere =
    [
        SagaLaw.RepeatedAction, SagaLaw.TransientFaultInsteadOfAction, SagaLaw.TransientFaultAfterAction, SagaLaw.CancelBeforeAction,
        SagaLaw.CancelAfterAction, SagaLaw.CrashBeforeCommit, SagaLaw.CrashAfterCommit,
    ];

    private static readonly SagaLaw[] WhereUndone =
    [
        SagaLaw.FailureInsteadOfAction, SagaLaw.FailureAfterAction, SagaLaw.RepeatedUndo, SagaLaw.CrashBeforeUndoIsCommitted,
        SagaLaw.CrashAfterUndoIsCommitted, SagaLaw.StuckUndo,
    ];

    private static ISagaLawSubject? SubjectOf(Type type)
    {
        for (var t = type.BaseType; t is not null; t = t.BaseType)
        {
            if (t.IsGenericType && t.GetGenericTypeDefinition() == typeof(SagaLaws<>))
                return (ISagaLawSubject?)Activator.CreateInstance(t.GetGenericArguments()[0]);
        }

        return null;
    }
}

/// <summary>A saga's log tells a story that can have happened.</summary>
public static class SagaHistoryChecker
{
    /// <exception cref="InvalidOperationException">With the entry at which the story breaks.</exception>
    public static void Check(SagaRecord end, IReadOnlyList<SagaLogEntry> log)
    {
        var open = new Stack<string>();
        string? running = null;
        for (var i = 0; i < log.Count; i++)
        {
            var entry = log[i];
            var fits = entry.Sequence == i && entry.Event switch
            {
                SagaEvent.Started => running is null || running == entry.Step,
                SagaEvent.Succeeded or SagaEvent.Failed => running == entry.Step || IsOvertaken(log, i),
                _ => open.TryPeek(out var top) && top == entry.Step,
            };
            if (!fits)
                throw new InvalidOperationException($"{end.Kind}: entry {i}, {entry.Step} {entry.Event}, does not follow from what is before it.");

            if (entry.Event == SagaEvent.Started && running is null)
                open.Push(entry.Step);
            else if (entry.Event == SagaEvent.UndoFinished)
                open.Pop();
            if (entry.Event is SagaEvent.Started or SagaEvent.Succeeded)
                running = entry.Event == SagaEvent.Started ? entry.Step : null;
        }

        if (log.Count != end.LogLength || (end.Status == SagaStatus.Undone && open.Count > 0) || (end.Status == SagaStatus.Done && running is not null))
            throw new InvalidOperationException($"{end.Kind} is {end.Status}, but its log of {log.Count} entries does not end so.");
    }

    /// <summary>A step whose undo came too late: it succeeded after all, and the saga goes forward.</summary>
    private static bool IsOvertaken(IReadOnlyList<SagaLogEntry> log, int at) =>
        log[at].Event == SagaEvent.Succeeded && at > 0 && log[at - 1] is { Event: SagaEvent.UndoStarted } undo && undo.Step == log[at].Step
        && at + 1 < log.Count && log[at + 1].Event == SagaEvent.Started;
}

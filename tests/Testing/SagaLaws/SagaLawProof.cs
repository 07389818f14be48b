using System.Collections.Concurrent;
using ControlPlane.Sagas;
using Xunit;

namespace ControlPlane.Testing.SagaLaws;

/// <summary>
/// Asks the laws of one saga, as cases generated from its plan. Every case has its own world, whose dump is compared with that of the
/// world before, or of a world in which nothing went wrong.
/// </summary>
public sealed class SagaLawProof(ISagaLawSubject subject)
{
    // A step that commits more often than this in one test is waiting in too small pieces to be crashed at each.
    private const int CommitsOfOneStepMax = 25;

    private readonly SagaDescription plan = new SagaRegistry([subject.Saga]).Descriptions[0];
    private readonly ConcurrentDictionary<string, Lazy<Task<string>>> undisturbedDumps = new();

    public IEnumerable<(string Scenario, SagaLaw Law, string Step)> Cases => subject.Scenarios.SelectMany(s => SagaLawCases.Of(plan, s));

    /// <summary>Throws where the law does not hold.</summary>
    public async Task HoldsAsync(string scenario, SagaLaw law, string step)
    {
        var which = subject.Scenarios.Single(s => s.Name == scenario);
        await (law switch
        {
            SagaLaw.RunsItsSteps => RunsItsStepsAsync(which),
            SagaLaw.RepeatedAction => EndsAsUndisturbedAsync(which, new StepFault(step, IsUndo: false, StepFaultKind.Repeat, int.MaxValue)),
            SagaLaw.TransientFaultInsteadOfAction => EndsAsUndisturbedAsync(which, new StepFault(step, IsUndo: false, StepFaultKind.RetryBefore)),
            SagaLaw.TransientFaultAfterAction => EndsAsUndisturbedAsync(which, new StepFault(step, IsUndo: false, StepFaultKind.RetryAfter)),
            SagaLaw.FailureInsteadOfAction => EndsAsBeforeAsync(which, new StepFault(step, IsUndo: false, StepFaultKind.FailBefore)),
            SagaLaw.FailureAfterAction => EndsAsBeforeAsync(which, new StepFault(step, IsUndo: false, StepFaultKind.FailAfter)),
            SagaLaw.RepeatedUndo => EndsAsBeforeAsync(
                which, new StepFault(step, IsUndo: true, StepFaultKind.Repeat, int.MaxValue), FailureAtTheLast(which)),
            SagaLaw.CancelBeforeAction => CancelAsync(which, step, StepFaultKind.CancelBefore),
            SagaLaw.CancelAfterAction => CancelAsync(which, step, StepFaultKind.CancelAfter),
            SagaLaw.CrashBeforeFirstAction => CrashBeforeFirstActionAsync(which),
            SagaLaw.CrashBeforeCommit => CrashAtEachCommitAsync(which, step, isUndo: false, CrashTime.BeforeCommit),
            SagaLaw.CrashAfterCommit => CrashAtEachCommitAsync(which, step, isUndo: false, CrashTime.AfterCommit),
            SagaLaw.CrashBeforeUndoIsCommitted => CrashAtEachCommitAsync(which, step, isUndo: true, CrashTime.BeforeCommit),
            SagaLaw.CrashAfterUndoIsCommitted => CrashAtEachCommitAsync(which, step, isUndo: true, CrashTime.AfterCommit),
            SagaLaw.StuckStep => StuckAsync(which, new StepFault(step, IsUndo: false, StepFaultKind.FailBefore, int.MaxValue)),
            SagaLaw.StuckUndo => StuckAsync(
                which, new StepFault(step, IsUndo: true, StepFaultKind.FailBefore, int.MaxValue), FailureAtTheLast(which)),
            _ => throw new ArgumentOutOfRangeException(nameof(law), law, message: null),
        });
    }

    private async Task RunsItsStepsAsync(SagaScenario scenario)
    {
        await using var run = await NewRunAsync(scenario);

        var end = await run.RunAsync(new StepFaults());

        Assert.Equal(SagaStatus.Done, end!.Status);
        var expected = SagaLawCases.StepsOf(plan, scenario).SelectMany(s => new[] { (s.Name, SagaEvent.Started), (s.Name, SagaEvent.Succeeded) });
        Assert.Equal(expected, (await run.LogAsync()).Select(e => (e.Step, e.Event)));
    }

    private async Task EndsAsUndisturbedAsync(SagaScenario scenario, StepFault fault)
    {
        await using var run = await NewRunAsync(scenario);
        var faults = new StepFaults(fault);

        var end = await run.RunAsync(faults);

        Assert.True(faults.HasHappened(0), $"'{fault.Step}' was never called.");
        await AssertDoneAsync(run, end!, scenario);
    }

    private async Task EndsAsBeforeAsync(SagaScenario scenario, params StepFault[] injected)
    {
        await using var run = await NewRunAsync(scenario);
        var faults = new StepFaults(injected);

        var end = await run.RunAsync(faults);

        Assert.All(injected, (fault, i) => Assert.True(faults.HasHappened(i), $"'{fault.Step}' was never called."));
        await AssertUndoneAsync(run, end!, StepFaults.Injected.Code);
    }

    private async Task CancelAsync(SagaScenario scenario, string step, StepFaultKind when)
    {
        await using var run = await NewRunAsync(scenario);

        var end = await run.RunAsync(new StepFaults(new StepFault(step, IsUndo: false, when)));

        if (plan.Steps.Single(s => s.Name == step).CanBeUndone)
            await AssertUndoneAsync(run, end!, SagaFailure.Cancelled);
        else
            await AssertDoneAsync(run, end!, scenario);
    }

    private async Task CrashBeforeFirstActionAsync(SagaScenario scenario)
    {
        await using var run = await NewRunAsync(scenario);
        await run.BeginAndDieAsync();

        var end = await run.RecoverAsync(new StepFaults());

        await AssertDoneAsync(run, end, scenario);
    }

    private async Task CrashAtEachCommitAsync(SagaScenario scenario, string step, bool isUndo, CrashTime time)
    {
        var occurrence = 1;
        for (; occurrence <= CommitsOfOneStepMax; occurrence++)
        {
            await using var run = await NewRunAsync(scenario);
            StepFaults Faults() => isUndo ? new StepFaults(FailureAtTheLast(scenario)) : new StepFaults();

            var end = await run.RunAsync(Faults(), new CrashPoint(step, isUndo, time, occurrence));
            var crashed = end is null;
            end ??= await run.RecoverAsync(Faults());

            if (isUndo)
                await AssertUndoneAsync(run, end, StepFaults.Injected.Code);
            else
                await AssertDoneAsync(run, end, scenario);
            if (!crashed)
                break;
        }

        Assert.True(occurrence > 1, $"'{step}' was never committed.");
    }

    private async Task StuckAsync(SagaScenario scenario, params StepFault[] injected)
    {
        await using var run = await NewRunAsync(scenario);
        var faults = new StepFaults(injected);

        var stuck = await run.RunAsync(faults);

        Assert.Equal(SagaStatus.Stuck, stuck!.Status);
        Assert.Equal(StepFaults.Injected.Code, stuck.Failure?.Code);
        Assert.Contains(StepFaults.Injected.Message, stuck.Failure!.Message, StringComparison.Ordinal);

        faults.IsHealed = true;
        var end = await run.ResumeAsync();

        if (injected[0].IsUndo)
            await AssertUndoneAsync(run, end, StepFaults.Injected.Code);
        else
            await AssertDoneAsync(run, end, scenario);
    }

    private async Task AssertDoneAsync(LawRun run, SagaRecord end, SagaScenario scenario)
    {
        Assert.Equal((SagaStatus.Done, null), (end.Status, end.Failure));
        SagaHistoryChecker.Check(end, await run.LogAsync());
        Assert.Equal(await UndisturbedDumpAsync(scenario), await run.DumpAsync());
    }

    private static async Task AssertUndoneAsync(LawRun run, SagaRecord end, string code)
    {
        Assert.Equal((SagaStatus.Undone, code), (end.Status, end.Failure?.Code));
        SagaHistoryChecker.Check(end, await run.LogAsync());
        Assert.Equal(run.Before, await run.DumpAsync());
    }

    private StepFault FailureAtTheLast(SagaScenario scenario) =>
        new(SagaLawCases.StepsOf(plan, scenario).Last(s => s.CanBeUndone).Name, IsUndo: false, StepFaultKind.FailAfter, int.MaxValue);

    private Task<string> UndisturbedDumpAsync(SagaScenario scenario) =>
        undisturbedDumps.GetOrAdd(scenario.Name, _ => new Lazy<Task<string>>(async () =>
        {
            await using var run = await NewRunAsync(scenario);
            var end = await run.RunAsync(new StepFaults());
            Assert.Equal(SagaStatus.Done, end!.Status);
            return await run.DumpAsync();
        })).Value;

    private async Task<LawRun> NewRunAsync(SagaScenario scenario) =>
        await LawRun.CreateAsync(await subject.CreateWorldAsync(scenario), plan);
}

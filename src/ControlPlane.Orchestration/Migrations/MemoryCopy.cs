using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration.Migrations;

/// <summary>The part of a migration that the two VMMs do: copy while the guest runs, hold, go over.</summary>
internal sealed class MemoryCopy(HostConnections hosts, MigrationRecords records)
{
    /// <summary>How often progress is read when no event comes; an event wakes the saga at once.</summary>
    private static readonly TimeSpan ReadEvery = TimeSpan.FromMilliseconds(250);

    /// <summary>The first rung of the downtime ladder, as a part of what the caller allows: a short stop is tried before a longer one.</summary>
    private const int LadderRungs = 4;

    /// <summary>What a migration asks of its copy.</summary>
    public static MigrationPlan PlanOf(MigrationRequest request) =>
        new(request.Mode, request.DowntimeLimit / LadderRungs, request.DowntimeLimit, LadderRungs, AutoConverge: true, request.Timeout);

    /// <summary>Begins the copy, and parks until the VMM holds before the switch-over. A copy that a crash ended is begun again.</summary>
    public async Task<StepOutcome<MigrationProgress>> CopyAsync(MigrationProgress s, StepContext context, CancellationToken ct)
    {
        var opened = await hosts.OpenAsync(s.Source, ct);
        if (!opened.TryGet(out var source, out var fault))
            return fault.ToOutcome<MigrationProgress>();
        var read = await source.Migration.ReadProgressAsync(s.Vm.Ref(), ct);
        if (!read.TryGet(out var progress, out fault))
            return fault.ToOutcome<MigrationProgress>();

        switch (progress.Phase)
        {
            case CopyPhase.None:
                var plan = PlanOf(s.Request);
                var limit = plan.FirstLimit;
                var begun = await source.Migration.BeginCopyAsync(
                    s.Vm.Ref(), s.Incoming!, new CopyOptions(plan.Mode, s.Request.BandwidthMiBPerSecond, limit, plan.AutoConverge), ct);
                return begun.Fault is { } refused
                    ? refused.ToOutcome<MigrationProgress>()
                    : StepOutcome<MigrationProgress>.WaitFor(s with { DowntimeLimit = limit }, ReadEvery);
            case CopyPhase.Copying:
                var next = await ClimbLadderAsync(source, s, progress, ct);
                return StepOutcome<MigrationProgress>.WaitFor(next, ReadEvery, records.Copying(next));
            // A VMM that cannot be held has gone over by itself; the switch-over then only says so.
            case CopyPhase.Completed:
            case CopyPhase.HoldingBeforeSwitchOver:
                var held = s with { Transfer = Transfer(progress) };
                return StepOutcome<MigrationProgress>.Done(held, records.Copying(held));
            case CopyPhase.Failed:
            case CopyPhase.Aborted:
                return StepOutcome<MigrationProgress>.Fail(new SagaFailure("copy-failed", $"The copy {progress.Phase.ToString().ToLowerInvariant()}: {progress.Error ?? "no reason given"}."));
            default:
                throw new InvalidOperationException($"A copy cannot be {progress.Phase} before the switch-over.");
        }
    }

    /// <summary>
    /// Ends the copy; the guest stays. One that a VMM could not hold may have gone over just before: then it is too late, and the migration is
    /// finished for the target. So it is when the source is silent and the guest is seen on the target.
    /// </summary>
    public async Task<StepOutcome<MigrationProgress>> AbortAsync(MigrationProgress s, StepContext context, CancellationToken ct)
    {
        var opened = await hosts.OpenAsync(s.Source, ct);
        if (!opened.TryGet(out var source, out var fault))
            return await AbortUnheardAsync(s, fault, ct);
        var aborted = await source.Migration.AbortCopyAsync(s.Vm.Ref(), ct);
        return aborted.Fault switch
        {
            null => StepOutcome<MigrationProgress>.Done(s),
            { Code: MigrationFaults.AlreadySwitchedCode } gone => StepOutcome<MigrationProgress>.TooLate(gone.ToFailure()),
            var refused => await AbortUnheardAsync(s, refused, ct),
        };
    }

    private async Task<StepOutcome<MigrationProgress>> AbortUnheardAsync(MigrationProgress s, Fault fault, CancellationToken ct) =>
        fault.IsTransient() && (await AskTargetAsync(s, fault, ct)).Succeeded
            ? StepOutcome<MigrationProgress>.TooLate(new SagaFailure(MigrationFaults.AlreadySwitchedCode, $"The VM runs on the target already; the source does not answer: {fault.Detail}"))
            : fault.ToOutcome<MigrationProgress>();

    /// <summary>
    /// Lets the guest go over and says where it runs. When the source is silent the target is asked: a guest that runs there has left
    /// the source for good, since the source's VMM never resumes what it has handed over.
    /// </summary>
    public async Task<Outcome<Landing>> SwitchOverAsync(MigrationProgress s, CancellationToken ct)
    {
        var opened = await hosts.OpenAsync(s.Source, ct);
        if (!opened.TryGet(out var source, out var silent))
            return await AskTargetAsync(s, silent, ct);
        var switched = await source.Migration.SwitchOverAsync(s.Vm.Ref(), ct);
        if (!switched.TryGet(out var where, out var fault))
            return fault.IsTransient() && fault.Code is not (PostCopy.Interrupted or MigrationFaults.SwitchOverPendingCode) ? await AskTargetAsync(s, fault, ct) : fault;
        var progress = await source.Migration.ReadProgressAsync(s.Vm.Ref(), ct);
        return progress.Match(p => p.Phase == CopyPhase.None ? new Landing(where, null) : new Landing(where, Transfer(p), p.Error, p.Phase == CopyPhase.Aborted), _ => new Landing(where, null));
    }

    /// <summary>
    /// A VMM that cannot hold has let a guest go that writes too much to go over. It is given more downtime rung by rung, as before the switch-over, and when the
    /// migration's time is over the copy ends and the guest stays: the next question says so.
    /// </summary>
    public async Task<StepOutcome<MigrationProgress>> UrgeAsync(MigrationProgress s, StepContext context, CancellationToken ct)
    {
        var opened = await hosts.OpenAsync(s.Source, ct);
        if (!opened.TryGet(out var source, out var fault))
            return fault.ToOutcome<MigrationProgress>();
        // A guest in post-copy has gone over, and what is left comes after it however long it takes.
        if (s.Request.Mode != MigrationMode.PostCopy && context.Now - context.SagaCreatedAt >= s.Request.Timeout)
        {
            var aborted = await source.Migration.AbortCopyAsync(s.Vm.Ref(), ct);
            return aborted.Fault switch
            {
                null or { Code: MigrationFaults.AlreadySwitchedCode } => StepOutcome<MigrationProgress>.WaitFor(s, TimeSpan.Zero),
                var refused => refused.ToOutcome<MigrationProgress>(),
            };
        }
        var read = await source.Migration.ReadProgressAsync(s.Vm.Ref(), ct);
        if (!read.TryGet(out var progress, out fault))
            return fault.ToOutcome<MigrationProgress>();
        var next = await ClimbLadderAsync(source, s, progress, ct);
        return StepOutcome<MigrationProgress>.WaitFor(next, ReadEvery, records.Copying(next));
    }

    private async Task<Outcome<Landing>> AskTargetAsync(MigrationProgress s, Fault silent, CancellationToken ct)
    {
        var opened = await hosts.OpenAsync(s.Target!.Value, ct);
        if (!opened.TryGet(out var target, out _))
            return silent;
        var found = await target.FindDomainAsync(s.Vm.Id, ct);
        return found.TryGet(out var domain, out _) && domain is { State: DomainState.Running or DomainState.Paused }
            ? new Landing(SwitchOverResult.OnTarget, null)
            : silent;
    }

    /// <summary>Each pass that leaves more than the present limit can carry raises it by one rung, up to what the caller allows.</summary>
    private static async Task<MigrationProgress> ClimbLadderAsync(IHypervisor source, MigrationProgress s, CopyProgress progress, CancellationToken ct)
    {
        var transfer = Transfer(progress);
        var now = s.DowntimeLimit ?? s.Request.DowntimeLimit;
        var passed = progress.Passes > (s.Transfer?.Passes ?? 0);
        if (!passed || progress.Passes < 2 || now >= s.Request.DowntimeLimit)
            return s with { Transfer = transfer };
        var raised = now + (s.Request.DowntimeLimit / LadderRungs);
        var limit = raised < s.Request.DowntimeLimit ? raised : s.Request.DowntimeLimit;
        var set = await source.Migration.SetDowntimeLimitAsync(s.Vm.Ref(), limit, ct);
        return s with { Transfer = transfer, DowntimeLimit = set.Succeeded ? limit : now };
    }

    private static MigrationTransfer Transfer(CopyProgress progress) =>
        new(progress.Passes, progress.BytesTotal, progress.BytesTransferred, progress.DirtyMiBPerSecond, progress.Downtime);
}

/// <param name="Transfer">The final figures; null when the source could not be asked.</param>
/// <param name="Error">The VMM's own words for a copy that ended before the target had the guest.</param>
/// <param name="CalledBack">It ended because we said so.</param>
internal sealed record Landing(SwitchOverResult Where, MigrationTransfer? Transfer, string? Error = null, bool CalledBack = false)
{
    /// <summary>Of a guest that stayed on the source.</summary>
    public string WhyStayed(MigrationRequest request)
    {
        var why = CalledBack
            ? $"The guest did not go over within the {request.Timeout.TotalSeconds:0} s of the migration; it writes {Transfer?.DirtyMiBPerSecond ?? 0:0.#} MiB/s"
            : "The copy ended before the target had taken the guest over";
        return Error is null ? $"{why}." : $"{why}: {Error}.";
    }
}

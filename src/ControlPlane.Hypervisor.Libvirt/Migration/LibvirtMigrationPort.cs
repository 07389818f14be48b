using System.Collections.Concurrent;
using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Hypervisor.Libvirt.Calls;
using ControlPlane.Hypervisor.Libvirt.Connections;
using ControlPlane.Hypervisor.Libvirt.Domains;
using ControlPlane.Hypervisor.Libvirt.Events;
using ControlPlane.Hypervisor.Libvirt.Register;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Migration;

/// <summary>Live migration of one host's domains. What a migration is doing stands in the host's register, so another server can ask for it.</summary>
internal sealed class LibvirtMigrationPort(LibvirtHost host, HostCalls calls, EventStream events, LibvirtOptions patience) : IMigrationPort
{
    private readonly ConcurrentDictionary<VmId, OutgoingCopy> copies = new();
    private readonly Landing landing = new(host, calls);

    public Task<Outcome<IncomingMigration>> PrepareIncomingAsync(DomainDefinition definition, CancellationToken ct) =>
        calls.RunAsync((at, connection) => new IncomingCalls(at, host).Prepare(connection, definition), ct);

    public Task<Outcome<Done>> DiscardIncomingAsync(DomainRef domain, CancellationToken ct) =>
        calls.RunAsync((at, connection) => new IncomingCalls(at, host).Discard(connection, domain), ct);

    public async Task<Outcome<Done>> BeginCopyAsync(DomainRef domain, IncomingMigration target, CopyOptions options, CancellationToken ct)
    {
        var route = MigrationRoute.Parse(target.Uri);
        var reading = ReadAsync(domain, ct);
        var opening = MoveConnections.OpenAsync(host, route, patience, ct);
        OutgoingCopy? begun = null;
        try
        {
            await Task.WhenAll(reading, opening);
            if (!(await reading).TryGet(out var known, out var fault))
                return fault;
            if (known.Phase is CopyPhase.Copying or CopyPhase.HoldingBeforeSwitchOver or CopyPhase.Completed)
                return default(Done);
            if (!(await opening).TryGet(out var connections, out fault))
                return fault;
            var looked = await calls.RunAsync((at, connection) => new OutgoingCalls(at, host).Begin(connection, domain, route, connections.Target), ct);
            if (!looked.TryGet(out var leaving, out fault))
                return fault;
            begun = Start(domain, leaving, route, options, CopyJob.Flags(route, options), connections);
            return default(Done);
        }
        finally
        {
            if (begun is null)
                MoveConnections.Abandon(opening);
        }
    }

    private OutgoingCopy Start(DomainRef domain, Leaving leaving, MigrationRoute route, CopyOptions options, VirDomainMigrateFlags flags, MoveConnections connections)
    {
        var copy = copies[domain.Vm] = new OutgoingCopy(leaving.Domain, host, options, patience)
        {
            IsContinued = flags.HasFlag(VirDomainMigrateFlags.PostcopyResume), Changed = phase => Tell(domain.Vm, phase),
        };
        _ = CarryOutAsync(copy, leaving, domain, route, flags, connections);
        return copy;
    }

    public async Task<Outcome<Done>> SetDowntimeLimitAsync(DomainRef domain, TimeSpan limit, CancellationToken ct)
    {
        var read = await ReadAsync(domain, ct);
        if (!read.TryGet(out var progress, out var fault))
            return fault;
        if (progress.Phase is not (CopyPhase.Copying or CopyPhase.HoldingBeforeSwitchOver))
            return Fault.Conflict("no-copy", $"No copy of VM {domain.Vm} is under way.");
        if (copies.TryGetValue(domain.Vm, out var copy))
            return await copy.AllowAsync(limit, ct) is { } unheard ? unheard : default(Done);
        if (progress.Error is null)
            // Begun by another process, and watched by nobody: it cannot be held any more, and would never end if it were given no downtime.
            return await calls.RunAsync((at, connection) => new OutgoingCalls(at, host).AllowDowntime(connection, domain, limit), ct);
        return default(Done);
    }

    public Task<Outcome<CopyProgress>> ReadProgressAsync(DomainRef domain, CancellationToken ct) => ReadAsync(domain, ct);

    public async Task<Outcome<Done>> AbortCopyAsync(DomainRef domain, CancellationToken ct)
    {
        var looked = await LookAsync(domain, ct);
        if (!looked.TryGet(out var reading, out var fault))
            return fault;
        var progress = reading.Progress;
        if (progress.Phase == CopyPhase.Completed || reading.Broken is not null)
            return MigrationFaults.AlreadySwitched(domain);
        if (progress.Phase is not (CopyPhase.Copying or CopyPhase.HoldingBeforeSwitchOver))
            return default(Done);
        if (copies.TryGetValue(domain.Vm, out var copy))
            copy.Abort();
        else if ((await calls.RunAsync((at, connection) => new OutgoingCalls(at, host).Abort(connection, domain), ct)).Fault is { } refused)
            return refused;
        return (await AwaitEndAsync(domain, goesOver: false, ct)).TryGet(out var end, out fault)
            ? end.Phase == CopyPhase.Completed ? MigrationFaults.AlreadySwitched(domain) : default(Done)
            : fault;
    }

    /// <summary>Also of a copy that another process began and may have let go: nothing here can hold it any more, so it is let go again.</summary>
    public async Task<Outcome<SwitchOverResult>> SwitchOverAsync(DomainRef domain, CancellationToken ct)
    {
        var looked = await LookAsync(domain, ct);
        if (!looked.TryGet(out var reading, out var fault))
            return fault;
        if (reading.Broken is { } broken)
            return await ContinueAsync(domain, broken, ct);
        var progress = reading.Progress;
        switch (progress.Phase)
        {
            case CopyPhase.None:
                return Fault.Conflict("no-copy", $"No copy of VM {domain.Vm} is known.");
            case CopyPhase.Copying when copies.ContainsKey(domain.Vm):
                return Fault.Conflict("not-holding", $"The copy of VM {domain.Vm} has not converged.");
            case CopyPhase.Copying:
            case CopyPhase.HoldingBeforeSwitchOver:
                var letGo = copies.TryGetValue(domain.Vm, out var copy)
                    ? await copy.LetGoAsync(ct)
                    : (await calls.RunAsync((at, connection) => new OutgoingCalls(at, host).LetGo(connection, domain), ct)).Fault;
                // It may have gone over by itself in between: where it is now is what counts.
                var ended = await AwaitEndAsync(domain, goesOver: true, ct);
                return ended.TryGet(out progress, out fault) ? Ended(domain, progress) : letGo ?? fault;
            default:
                return Ended(domain, progress);
        }
    }

    /// <summary>libvirt knows how fast a guest writes only after it has watched it for seconds, which no caller of a migration should wait for.</summary>
    public Task<Outcome<MigrationLoad?>> ReadLoadAsync(DomainRef domain, CopyIntent intent, CancellationToken ct) =>
        Task.FromResult<Outcome<MigrationLoad?>>((MigrationLoad?)null);

    /// <summary>libvirt sends no probe frames, so nothing was measured, and that is what is said.</summary>
    public async Task<Outcome<IReadOnlyList<InterfaceGap>>> MeasureGapsAsync(DomainRef domain, DateTimeOffset since, CancellationToken ct) =>
        await calls.RunAsync<IReadOnlyList<InterfaceGap>>((at, connection) =>
        {
            if (!at.Admission.Admit(connection, domain).TryGet(out var known, out var stale) && stale is not null)
                return stale;
            using (known)
                return known is null ? [] : known.Look().Interfaces.Select(i => new InterfaceGap(i.Name, TimeSpan.Zero, 0, 0)).ToArray();
        }, ct);

    private void Tell(VmId vm, CopyPhase phase) => events.Tell(new HypervisorEvent.CopyChanged(vm, phase, host.Time.GetUtcNow()));

    private async Task<Outcome<CopyProgress>> ReadAsync(DomainRef domain, CancellationToken ct) => (await LookAsync(domain, ct)).Map(reading => reading.Progress);

    /// <summary>Where the copy is, with what nobody carried to its end brought there.</summary>
    private async Task<Outcome<CopyReading>> LookAsync(DomainRef domain, CancellationToken ct)
    {
        var watched = copies.GetValueOrDefault(domain.Vm)?.Progress;
        var read = await calls.RunAsync((at, connection) => new OutgoingCalls(at, host).Read(connection, domain, watched), ct);
        if (!read.TryGet(out var reading, out var fault))
            return fault;
        if ((reading.Gone ?? reading.Undecided) is not { } route)
            return reading;
        var opened = await MoveConnections.OpenTargetAsync(host, route, patience, ct);
        if (!opened.TryGet(out var target, out fault))
            return fault;
        using (target)
        {
            var ended = reading.Gone is not null ? await landing.LandAsync(domain, route, reading.Progress, target) : await landing.DecideAsync(domain, route, target);
            return ended.Map(progress => new CopyReading(progress));
        }
    }

    /// <summary>
    /// A guest in post-copy runs on the target and needs the memory that is still here: it is sent on, unless it has come by itself, and nothing else can
    /// be done about it.
    /// </summary>
    private async Task<Outcome<SwitchOverResult>> ContinueAsync(DomainRef domain, MigrationRoute route, CancellationToken ct)
    {
        var opened = await MoveConnections.OpenAsync(host, route, patience, ct);
        if (!opened.TryGet(out var connections, out var fault))
            return Interrupted(domain, fault.Detail);
        OutgoingCopy? continued = null;
        try
        {
            if (!(await landing.LandWholeAsync(domain, route, connections.Target)).TryGet(out var whole, out fault))
                return Interrupted(domain, fault.Detail);
            if (whole is not null)
                return SwitchOverResult.OnTarget;
            var found = await calls.RunAsync((at, connection) => at.Admission.Find(connection, domain), ct);
            if (!found.TryGet(out var known, out fault))
                return fault;
            var options = new CopyOptions(Domain.Migrations.MigrationMode.PostCopy, null, TimeSpan.Zero, AutoConverge: false);
            var flags = CopyJob.Flags(route with { CopyDisks = false }, options) | VirDomainMigrateFlags.PostcopyResume;
            continued = Start(domain, new Leaving(known.Handle, null, null), route, options, flags, connections);
        }
        finally
        {
            if (continued is null)
                connections.Dispose();
        }
        return (await AwaitEndAsync(domain, goesOver: true, ct)).TryGet(out var end, out fault) ? Ended(domain, end, continued.Progress.Error) : fault;
    }

    /// <param name="why">What libvirt said to being asked to continue a post-copy that is still interrupted.</param>
    private static Outcome<SwitchOverResult> Ended(DomainRef domain, CopyProgress end, string? why = null) => end switch
    {
        { Phase: CopyPhase.HoldingBeforeSwitchOver, Error: { } broken } => Interrupted(domain, why ?? broken),
        { Phase: CopyPhase.Completed } => SwitchOverResult.OnTarget,
        _ => SwitchOverResult.StayedOnSource,
    };

    private static Fault Interrupted(DomainRef domain, string why) => Fault.Unavailable(PostCopy.Interrupted,
        $"VM {domain.Vm} runs on the target while part of its memory is still on the source, and the way between them broke: {why.TrimEnd('.')}. Neither host can run it alone; it is tried again. Reset neither.");

    /// <summary>Until the job is over, or the time is: then the caller asks again.</summary>
    /// <param name="goesOver">The guest was let go: the caller is also asked when it writes too much to go over with what it is allowed.</param>
    private async Task<Outcome<CopyProgress>> AwaitEndAsync(DomainRef domain, bool goesOver, CancellationToken ct)
    {
        var until = host.Time.GetUtcNow() + patience.SwitchOverTimeout;
        while (true)
        {
            // Looked up before the reading: a copy that ends in between has said so, and the next reading knows.
            var watched = copies.GetValueOrDefault(domain.Vm);
            var read = await ReadAsync(domain, ct);
            if (!read.TryGet(out var progress, out var fault))
                return fault;
            if (progress.Phase is not (CopyPhase.Copying or CopyPhase.HoldingBeforeSwitchOver) || (watched is null && progress.Error is not null))
                return progress;
            var left = until - host.Time.GetUtcNow();
            if (left <= TimeSpan.Zero || (goesOver && watched is { IsOutrun: true }))
                return goesOver ? SwitchOverPending(domain, progress) : AbortPending(domain, progress);
            // Of a copy that another process began nobody here is told: libvirt has events for a guest that went, and none for a job that ended with it still here.
            await (watched is null ? Task.Delay(patience.PollInterval, host.Time, ct) : watched.WaitAsync(orOutrun: goesOver, left, ct));
            if (watched?.Settled is { } end)
                return end;
        }
    }

    private static Fault SwitchOverPending(DomainRef domain, CopyProgress progress) => Fault.Unavailable(MigrationFaults.SwitchOverPendingCode,
        $"VM {domain.Vm} has not gone over in {progress.Passes} passes: {progress.BytesRemaining / (double)(1 << 20):0.#} MiB are left, and the guest dirties {progress.DirtyMiBPerSecond:0.#} MiB/s.");

    private Fault AbortPending(DomainRef domain, CopyProgress progress) => Fault.Unavailable("abort-pending",
        $"The copy of VM {domain.Vm} was aborted, and libvirt has not ended it within {patience.SwitchOverTimeout.TotalSeconds:0} s; it still says '{progress.Phase}'. It is asked again.");

    private async Task CarryOutAsync(OutgoingCopy copy, Leaving leaving, DomainRef domain, MigrationRoute route, VirDomainMigrateFlags flags, MoveConnections connections)
    {
        using (copy)
        using (connections)
        using (leaving.Domain)
        {
            var job = new MigrationJob(route, connections);
            var end = await copy.RunAsync(aborting => job.RunAsync(leaving, copy.Options, flags, aborting));
            var settled = await landing.SettleAsync(domain, route, end, connections.Target, job.HasArrived);
            copies.TryRemove(new KeyValuePair<VmId, OutgoingCopy>(domain.Vm, copy));
            copy.End(settled);
        }
        Tell(domain.Vm, copy.Progress.Phase);
    }
}

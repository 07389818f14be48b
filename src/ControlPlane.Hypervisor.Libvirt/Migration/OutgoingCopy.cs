using ControlPlane.Domain;
using ControlPlane.Hypervisor.Libvirt.Connections;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Migration;

/// <summary>A copy that this process began and watches: it brakes before the switch-over, and remembers how it ended.</summary>
internal sealed class OutgoingCopy : IDisposable
{
    private static readonly TimeSpan WatchEvery = TimeSpan.FromMilliseconds(50);

    private readonly VirDomain domain;
    private readonly LibvirtHost host;
    private readonly CopyBrake brake;
    private readonly TimeSpan outrunTime;
    private readonly Lock gate = new();
    private readonly Lock speed = new();
    private readonly CancellationTokenSource aborting = new();
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CopyProgress progress;
    private TimeSpan downtimeLimit;
    private (int Pass, DateTimeOffset At)? allowed;
    private TaskCompletionSource outrun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool isBraked;
    private bool isLetGo;
    private bool isOver;

    public OutgoingCopy(VirDomain domain, LibvirtHost host, CopyOptions options, LibvirtOptions patience)
    {
        (this.domain, this.host, Options) = (domain, host, options);
        outrunTime = patience.OutrunTime;
        brake = new CopyBrake(patience.HoldAhead, patience.BrakeAhead, options.BandwidthMiBPerSecond);
        downtimeLimit = options.DowntimeLimit;
        progress = CopyProgress.NotKnown with { Phase = CopyPhase.Copying };
    }

    public CopyOptions Options { get; }

    /// <summary>Of a copy whose guest is on the target already: nothing holds it.</summary>
    public bool IsContinued { init => isLetGo = value; }

    /// <summary>Told at each change of phase; not under any lock.</summary>
    public Action<CopyPhase> Changed { get; init; } = _ => { };

    public CopyProgress Progress
    {
        get
        {
            lock (gate)
                return progress;
        }
    }

    /// <summary>How it ended, once the host remembers it; null before, and when that is not certain.</summary>
    public CopyProgress? Settled { get; private set; }

    /// <summary>
    /// Whether the guest was let go and has for some time written too much to go over with what it was allowed last. It still may, if it rests.
    /// </summary>
    public bool IsOutrun
    {
        get
        {
            lock (gate)
                return outrun.Task.IsCompleted;
        }
    }

    /// <summary>Runs the job to its end. Completed: the guest is on the target. Never throws for what libvirt refuses.</summary>
    public async Task<CopyProgress> RunAsync(Func<CancellationToken, Task<VirJobStatistics?>> migrate)
    {
        using var over = new CancellationTokenSource();
        var watching = WatchAsync(over.Token);
        CopyProgress end;
        try
        {
            var job = await migrate(aborting.Token);
            end = job is null ? Progress with { Phase = CopyPhase.Completed, BytesRemaining = 0 } : CopyJob.Progress(CopyPhase.Completed, job);
        }
        catch (OperationCanceledException e)
        {
            end = Progress with { Phase = CopyPhase.Aborted, Error = e.Message };
        }
        catch (LibvirtException e)
        {
            end = Progress with { Phase = aborting.IsCancellationRequested ? CopyPhase.Aborted : CopyPhase.Failed, Error = $"libvirt: {e.Message} ({e.Call}, {e.Code})" };
        }
        await over.CancelAsync();
        await watching;
        lock (gate)
            progress = end;
        return end;
    }

    public void Abort()
    {
        lock (gate)
        {
            if (!isOver)
                aborting.Cancel();
        }
    }

    /// <param name="how">As the host remembers it; null: whoever asks next finds out.</param>
    public void End(CopyProgress? how)
    {
        Settled = how;
        ended.SetResult();
    }

    public void Dispose()
    {
        lock (gate)
            isOver = true;
        aborting.Dispose();
    }

    /// <summary>Until it has ended and the host remembers how, at most for a time.</summary>
    /// <param name="orOutrun">Whether one that <see cref="IsOutrun"/> ends the wait too.</param>
    public async Task WaitAsync(bool orOutrun, TimeSpan most, CancellationToken ct)
    {
        Task over;
        lock (gate)
            over = orOutrun ? Task.WhenAny(ended.Task, outrun.Task) : ended.Task;
        try
        {
            await over.WaitAsync(most, host.Time, ct);
        }
        catch (TimeoutException)
        {
            // Whoever waits looks at the time.
        }
    }

    /// <summary>From now on the guest goes over as soon as the rest fits into the downtime.</summary>
    public Task<Fault?> LetGoAsync(CancellationToken ct) => TellAsync(
        () =>
        {
            // A brake that came after this would never be taken off.
            isLetGo = true;
            Allow();
            // Once: an operator may have changed the speed since.
            if (isBraked)
                Release(domain, Options);
            isBraked = false;
            if (Options.Mode == Domain.Migrations.MigrationMode.PostCopy)
                domain.StartPostCopy();
        },
        ct);

    /// <summary>Changes what the guest may be stopped for; one that was let go gets it at once.</summary>
    public Task<Fault?> AllowAsync(TimeSpan limit, CancellationToken ct)
    {
        lock (gate)
            downtimeLimit = limit;
        return TellAsync(
            () =>
            {
                if (isLetGo)
                    Allow();
            },
            ct);
    }

    /// <summary>The speed that the caller allows, or all there is.</summary>
    public static void Release(VirDomain domain, CopyOptions options) =>
        domain.SetMigrationMaxSpeed((ulong)(options.BandwidthMiBPerSecond ?? CopyJob.UnlimitedMiBPerSecond));

    /// <summary>A guest that has left meanwhile, or has ended, needs to be told nothing: the job is about to say how it ended.</summary>
    private async Task<Fault?> TellAsync(Action tell, CancellationToken ct)
    {
        var told = await host.RunAsync<Done>(_ =>
        {
            try
            {
                lock (speed)
                    tell();
            }
            catch (LibvirtException e) when (e.Code is VirErrorNumber.NoDomain or VirErrorNumber.OperationInvalid)
            {
                // Whoever waits for the end hears of it.
            }
            return default(Done);
        }, ct);
        return told.Fault;
    }

    /// <summary>libvirt tells when a pass begins, but not how far it is, and a guest that writes little has only one: so this looks now and then.</summary>
    private async Task WatchAsync(CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            // What libvirt refuses here (no job yet, no job any more) shows in how the job itself ends.
            var seen = await host.RunAsync<Sighting>(_ => Look(), CancellationToken.None);
            if (seen.TryGet(out var sighting, out _))
            {
                if (sighting.IsNews)
                    Changed(CopyPhase.HoldingBeforeSwitchOver);
                if (sighting.Distance == CopyDistance.AtEnd)
                    await host.RunAsync<Done>(_ => Brake(), CancellationToken.None);
            }
            try
            {
                await Task.Delay(WatchEvery, host.Time, over);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Only of a guest that was let go: before, next to no downtime is what keeps it here. In post-copy it goes over whatever it writes.</summary>
    private void Allow()
    {
        if (Options.Mode == Domain.Migrations.MigrationMode.PostCopy)
            return;
        TimeSpan limit;
        lock (gate)
            limit = downtimeLimit;
        domain.SetMigrationMaxDowntime(CopyBrake.Tellable(limit));
        // Looked at after it was told: the end of this pass is the first to be judged by it.
        var pass = domain.GetJobStatistics() is { IsActive: true } job ? CopyJob.Progress(CopyPhase.Copying, job).Passes : progress.Passes;
        lock (gate)
        {
            allowed = (pass, host.Time.GetUtcNow());
            if (outrun.Task.IsCompleted)
                outrun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private Sighting Look()
    {
        var job = domain.GetJobStatistics();
        if (!job.IsActive)
            return new Sighting(CopyDistance.Far, false);
        Sighting seen;
        TaskCompletionSource? late;
        lock (gate)
        {
            var distance = brake.Judge(job, downtimeLimit, host.Time.GetUtcNow());
            var isNews = progress.Phase == CopyPhase.Copying && distance != CopyDistance.Far;
            progress = CopyJob.Progress(isNews ? CopyPhase.HoldingBeforeSwitchOver : progress.Phase, job);
            seen = new Sighting(distance, isNews);
            late = allowed is { } room && progress.Passes > room.Pass + 1 && host.Time.GetUtcNow() - room.At >= outrunTime ? outrun : null;
        }
        // QEMU counts a pass more when it stops the guest to go over: that one is not outrun.
        if (late is not null && domain.GetState().State == VirDomainState.Running)
            late.TrySetResult();
        return seen;
    }

    private Outcome<Done> Brake()
    {
        lock (speed)
        {
            if (isLetGo || isBraked)
                return default(Done);
            domain.SetMigrationMaxSpeed(CopyBrake.SlowestMiBPerSecond);
            isBraked = true;
        }
        return default(Done);
    }

    /// <param name="IsNews">Whether it is near for the first time.</param>
    private readonly record struct Sighting(CopyDistance Distance, bool IsNews);
}

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
    private readonly Lock gate = new();
    private readonly Lock speed = new();
    private readonly CancellationTokenSource aborting = new();
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CopyProgress progress;
    private TimeSpan downtimeLimit;
    private bool isBraked;
    private bool isLetGo;
    private bool isOver;

    public OutgoingCopy(VirDomain domain, LibvirtHost host, CopyOptions options, LibvirtOptions patience)
    {
        (this.domain, this.host, Options) = (domain, host, options);
        brake = new CopyBrake(patience.HoldAhead, patience.BrakeAhead);
        downtimeLimit = options.DowntimeLimit;
        progress = CopyProgress.NotKnown with { Phase = CopyPhase.Copying };
    }

    public CopyOptions Options { get; }

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

    public TimeSpan DowntimeLimit
    {
        get
        {
            lock (gate)
                return downtimeLimit;
        }
        set
        {
            lock (gate)
                downtimeLimit = value;
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

    public void Dispose()
    {
        lock (gate)
            isOver = true;
        aborting.Dispose();
        ended.SetResult();
    }

    /// <summary>Until it has ended and the host remembers how, at most for a time.</summary>
    public async Task WaitAsync(TimeSpan most, CancellationToken ct)
    {
        try
        {
            await ended.Task.WaitAsync(most, host.Time, ct);
        }
        catch (TimeoutException)
        {
            // Whoever waits looks at the time.
        }
    }

    /// <summary>From now on the guest goes over as soon as the rest fits into the downtime.</summary>
    public async Task<Fault?> LetGoAsync(CancellationToken ct)
    {
        var let = await host.RunAsync<Done>(_ =>
        {
            // A brake that came after this would never be taken off.
            lock (speed)
            {
                isLetGo = true;
                if (Options.Mode != Domain.Migrations.MigrationMode.PostCopy)
                    domain.SetMigrationMaxDowntime(DowntimeLimit);
                if (isBraked)
                    Release(domain, Options);
                if (Options.Mode == Domain.Migrations.MigrationMode.PostCopy)
                    domain.StartPostCopy();
            }
            return default(Done);
        }, ct);
        return let.Fault;
    }

    /// <summary>The speed that the caller allows, or all there is.</summary>
    public static void Release(VirDomain domain, CopyOptions options) =>
        domain.SetMigrationMaxSpeed((ulong)(options.BandwidthMiBPerSecond ?? CopyJob.UnlimitedMiBPerSecond));

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

    private Sighting Look()
    {
        var job = domain.GetJobStatistics();
        if (!job.IsActive)
            return new Sighting(CopyDistance.Far, false);
        lock (gate)
        {
            var distance = brake.Judge(job, downtimeLimit, host.Time.GetUtcNow());
            var isNews = progress.Phase == CopyPhase.Copying && distance != CopyDistance.Far;
            progress = CopyJob.Progress(isNews ? CopyPhase.HoldingBeforeSwitchOver : progress.Phase, job);
            return new Sighting(distance, isNews);
        }
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

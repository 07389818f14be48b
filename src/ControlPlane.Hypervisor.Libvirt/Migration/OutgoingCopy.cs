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
    private readonly CancellationTokenSource aborting = new();
    private CopyProgress progress;
    private TimeSpan downtimeLimit;
    private bool isLetGo;
    private bool isOver;

    public OutgoingCopy(VirDomain domain, LibvirtHost host, CopyOptions options, LibvirtOptions patience)
    {
        (this.domain, this.host, Options) = (domain, host, options);
        brake = new CopyBrake(patience.HoldAhead);
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
    }

    /// <summary>Takes the brake off: from now on the guest goes over as soon as the rest fits into the downtime.</summary>
    public async Task<Fault?> LetGoAsync(CancellationToken ct)
    {
        TimeSpan limit;
        lock (gate)
            (isLetGo, limit) = (true, downtimeLimit);
        var let = await host.RunAsync<Done>(_ =>
        {
            if (Options.Mode == Domain.Migrations.MigrationMode.PostCopy)
            {
                Release(domain, Options);
                domain.StartPostCopy();
                return default(Done);
            }
            domain.SetMigrationMaxDowntime(limit);
            Release(domain, Options);
            return default(Done);
        }, ct);
        return let.Fault;
    }

    /// <summary>The speed that the caller allows, or all there is.</summary>
    public static void Release(VirDomain domain, CopyOptions options) =>
        domain.SetMigrationMaxSpeed((ulong)(options.BandwidthMiBPerSecond ?? CopyJob.UnlimitedMiBPerSecond));

    private async Task WatchAsync(CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            // What libvirt refuses here (no job yet, no job any more) shows in how the job itself ends.
            var read = await host.RunAsync<CopyPhase>(_ => Look(), CancellationToken.None);
            if (read.TryGet(out var phase, out _) && phase == CopyPhase.HoldingBeforeSwitchOver)
                Changed(phase);
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

    /// <summary>Answers the phase when it has just changed, else none.</summary>
    private CopyPhase Look()
    {
        var job = domain.GetJobStatistics();
        if (!job.IsActive)
            return CopyPhase.None;
        bool isDue;
        lock (gate)
        {
            isDue = !isLetGo && progress.Phase == CopyPhase.Copying && brake.IsDue(job, downtimeLimit);
            progress = CopyJob.Progress(isDue ? CopyPhase.HoldingBeforeSwitchOver : progress.Phase, job);
        }
        if (!isDue)
            return CopyPhase.None;
        domain.SetMigrationMaxSpeed(CopyBrake.SlowestMiBPerSecond);
        return CopyPhase.HoldingBeforeSwitchOver;
    }
}

using ControlPlane.Orchestration.Reconcilers;
using ControlPlane.Server.Database;
using ControlPlane.Server.Startup;
using Quartz;

namespace ControlPlane.Server.Ticks;

/// <summary>
/// Quartz gives the ticks, and nothing else: what a tick does is a reconciler. Those that keep this server's own memory tick in memory; the
/// others on a store that the servers of one database share, so that one of them does the work. A single server needs no such store.
/// </summary>
internal sealed partial class TickSchedule(
    IEnumerable<IReconciler> reconcilers, DatabaseLocation database, TimeProvider clock, ILogger<TickSchedule> log)
{
    private const int ThreadsMax = 8;
    private static readonly TimeSpan CheckIn = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(1);
    private readonly List<IScheduler> schedulers = [];

    public async Task StartAsync(CancellationToken ct)
    {
        var all = reconcilers.ToList();
        var here = all.Where(r => r.OnEveryServer || !database.IsExternal).ToList();
        if (here.Count > 0)
            await StartAsync("server", here, quartz => quartz.UseInMemoryStore(_ => { }), ct);
        var shared = all.Except(here).ToList();
        if (shared.Count > 0)
            await StartAsync("cluster", shared, UseSharedStore, ct);
    }

    /// <summary>
    /// Asks running ticks to end and waits a moment for them. One that does not hear goes with the process: what it does is done again at
    /// the next start.
    /// </summary>
    public async Task StopAsync()
    {
        try
        {
            await Task.WhenAll(schedulers.Select(scheduler => scheduler.Shutdown(true, CancellationToken.None).AsTask())).WaitAsync(StopTimeout, clock);
        }
        catch (TimeoutException)
        {
            LogDeaf(log, StopTimeout.TotalSeconds);
        }

        schedulers.Clear();
    }

    private async Task StartAsync(string name, IReadOnlyList<IReconciler> ticked, Action<IQuartzBuilder> useStore, CancellationToken ct)
    {
        var scheduler = await QuartzSchedulerBuilder.Create(quartz =>
        {
            quartz.ConfigureScheduler(options =>
            {
                options.InstanceName = $"controlplane-{name}";
                options.GenerateInstanceId = true;
                options.ShutdownJobInterruption = ShutdownJobInterruption.Always;
            });
            quartz.UseDefaultThreadPool(ThreadsMax);
            quartz.UseJobFactory(new ReconcileJobFactory(ticked, log));
            useStore(quartz);
        }).BuildScheduler(ct);
        schedulers.Add(scheduler);
        foreach (var reconciler in ticked)
            await scheduler.ScheduleJob(Job(reconciler), new[] { Trigger(reconciler) }, new ScheduleJobOptions { Replace = true }, ct);
        await scheduler.Start(ct);
    }

    private void UseSharedStore(IQuartzBuilder quartz) => quartz.UsePersistentStore(store =>
    {
        store.UsePostgres(database.ConnectionString);
        store.UseSystemTextJsonSerializer();
        store.UseClustering(cluster => cluster.CheckinInterval = CheckIn);
        store.ProvisionSchema();
    });

    private static IJobDetail Job(IReconciler reconciler) =>
        JobBuilder.Create<ReconcileJob>().WithIdentity(reconciler.Name).DisallowConcurrentExecution().StoreDurably().Build();

    private ITrigger Trigger(IReconciler reconciler) => TriggerBuilder.Create(clock)
        .WithIdentity(reconciler.Name)
        .ForJob(reconciler.Name)
        .StartAt(clock.GetUtcNow() + reconciler.Every)
        .WithSchedule(SimpleScheduleBuilder.Create().WithInterval(reconciler.Every).RepeatForever().MeasureIntervalFromCompletion(true))
        .Build();

    [LoggerMessage(LogLevel.Warning, "Ticks still run {Seconds} s after they were asked to end; they are left behind")]
    private static partial void LogDeaf(ILogger log, double seconds);
}

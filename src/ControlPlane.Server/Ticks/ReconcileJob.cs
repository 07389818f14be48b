using ControlPlane.Orchestration.Reconcilers;
using Quartz;
using Quartz.Extensibility;

namespace ControlPlane.Server.Ticks;

/// <summary>One tick of one reconciler. What fails is logged and tried again at the next tick: no tick may end the ticking.</summary>
internal sealed partial class ReconcileJob(IReconciler reconciler, ILogger log) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        try
        {
            var report = await reconciler.RunAsync(cancellationToken);
            if (report.Changed > 0)
                LogChanged(log, reconciler.Name, report.Changed, report.Examined);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The server stops.
        }
        catch (Exception e)
        {
            LogFailed(log, e, reconciler.Name);
        }
    }

    [LoggerMessage(LogLevel.Information, "{Reconciler} changed {Changed} of {Examined}")]
    private static partial void LogChanged(ILogger log, string reconciler, int changed, int examined);

    [LoggerMessage(LogLevel.Error, "{Reconciler} failed; it runs again at its next tick")]
    private static partial void LogFailed(ILogger log, Exception exception, string reconciler);
}

/// <summary>The job's name is the reconciler's.</summary>
internal sealed class ReconcileJobFactory(IReadOnlyList<IReconciler> reconcilers, ILogger log) : IJobFactory
{
    private readonly Dictionary<string, IReconciler> byName = reconcilers.ToDictionary(r => r.Name);

    public ValueTask<JobScope> CreateJob(TriggerFiredBundle bundle, IScheduler scheduler, CancellationToken cancellationToken = default) =>
        new(new JobScope(new ReconcileJob(byName[bundle.JobDetail.Key.Name], log), null));

    public ValueTask ReturnJob(JobScope scope, CancellationToken cancellationToken = default) => default;
}

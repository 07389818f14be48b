using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>The registration of all reconcilers, as a table of contents. A server that wants other periods registers its options before.</summary>
public static class ReconcilerRegistration
{
    public static IServiceCollection AddReconcilers(this IServiceCollection services)
    {
        services.TryAddSingleton(ReconcilerOptions.Default);
        return services.AddHostCare().AddAudit().AddRetention();
    }

    private static IServiceCollection AddHostCare(this IServiceCollection services) => services
        .AddSingleton<ReconcilerMetrics>()
        .AddSingleton<HostConditions>()
        .AddSingleton<HostScan>()
        .AddSingleton<HostReturn>()
        .AddSingleton<HostEvents>()
        .AddReconciler<HostLeases>()
        .AddReconciler<HostHeartbeat>()
        .AddReconciler<HostWatcher>()
        .AddReconciler<InventoryRescan>()
        .AddReconciler<StuckOperations>()
        .AddReconciler<FleetRefresh>();

    private static IServiceCollection AddAudit(this IServiceCollection services) => services
        .AddSingleton<FindingLog>()
        .AddSingleton<DomainSightings>()
        .AddSingleton<VmHold>()
        .AddSingleton<VmPatches>()
        .AddSingleton<HostRepair>()
        .AddSingleton<VmAudit>()
        .AddSingleton<UnknownDomains>()
        .AddSingleton<LooseDevices>()
        .AddSingleton<HostAudit>()
        .AddSingleton<AbandonedVms>()
        .AddReconciler<LeakAuditor>()
        .AddReconciler<AbandonedWorkAudit>();

    private static IServiceCollection AddRetention(this IServiceCollection services) => services
        .AddReconciler<IdempotencyRetention>()
        .AddReconciler<EventRetention>()
        .AddReconciler<AuditRetention>()
        .AddReconciler<MigrationRetention>()
        .AddReconciler<OperationRetention>();

    /// <summary>By itself, for those who call it directly, and in the list that is ticked.</summary>
    private static IServiceCollection AddReconciler<T>(this IServiceCollection services) where T : class, IReconciler => services
        .AddSingleton<T>()
        .AddSingleton<IReconciler>(provider => provider.GetRequiredService<T>());
}

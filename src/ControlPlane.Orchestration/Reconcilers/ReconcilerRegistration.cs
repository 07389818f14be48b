using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>The registration of all reconcilers, as a table of contents. A server that wants other periods registers its options before.</summary>
public static class ReconcilerRegistration
{
    public static IServiceCollection AddReconcilers(this IServiceCollection services)
    {
        services.TryAddSingleton(ReconcilerOptions.Default);
        return services.AddRetention();
    }

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

using ControlPlane.Api.Access;
using ControlPlane.Server.Configuration;

namespace ControlPlane.Server.Metrics;

/// <summary><c>/metrics</c> in Prometheus' text format.</summary>
internal static class MetricsRegistration
{
    public static IServiceCollection AddMetricsEndpoint(this IServiceCollection services) => services.AddSingleton<MetricsCollector>();

    public static void MapMetrics(this IEndpointRouteBuilder routes, ServerOptions options)
    {
        // Counting begins with the first look, and the first look is at the start.
        routes.ServiceProvider.GetRequiredService<MetricsCollector>();
        routes.MapGet("/metrics", (MetricsCollector metrics) => Results.Text(PrometheusText.Write(metrics.Collect()), "text/plain; version=0.0.4"))
            .AllowViewers(open: options.MetricsOpen)
            .ExcludeFromDescription();
    }
}

using ControlPlane.Server.Database;
using ControlPlane.Server.Ticks;

namespace ControlPlane.Server.Startup;

/// <summary>The registration of what brings the server up and down.</summary>
internal static class StartupRegistration
{
    public static IServiceCollection AddStartup(this IServiceCollection services) => services
        .AddSingleton<DatabaseLocation>()
        .AddSingleton<Readiness>()
        .AddSingleton<TickSchedule>()
        .AddHostedService<StartupSequence>();
}

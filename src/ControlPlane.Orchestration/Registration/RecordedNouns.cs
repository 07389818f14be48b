using ControlPlane.Orchestration.DevicePools;
using ControlPlane.Orchestration.Inventories;
using ControlPlane.Orchestration.Networks;
using ControlPlane.Orchestration.Projects;
using ControlPlane.Orchestration.Tokens;
using Microsoft.Extensions.DependencyInjection;

namespace ControlPlane.Orchestration.Registration;

/// <summary>The registration of the nouns that are recorded at once: no host is asked, no saga runs.</summary>
public static class RecordedNouns
{
    public static IServiceCollection AddRecordedNouns(this IServiceCollection services) => services
        .AddScoped<RecordedChange>()
        .AddScoped<CreateNetworkHandler>()
        .AddScoped<ReplaceNetworkHandler>()
        .AddScoped<DeleteNetworkHandler>()
        .AddSingleton<PoolDraftResolver>()
        .AddScoped<CreateDevicePoolHandler>()
        .AddScoped<ReplaceDevicePoolHandler>()
        .AddScoped<DeleteDevicePoolHandler>()
        .AddSingleton<QuotaResolver>()
        .AddScoped<CreateProjectHandler>()
        .AddScoped<SetQuotaHandler>()
        .AddScoped<DeleteProjectHandler>()
        .AddSingleton<TokenDirectory>()
        .AddScoped<CreateTokenHandler>()
        .AddScoped<RevokeTokenHandler>()
        .AddScoped<CreateInventoryHandler>();
}

using ControlPlane.Api.Access;
using ControlPlane.Api.Audit;
using ControlPlane.Api.Conventions;
using ControlPlane.Api.DevicePools;
using ControlPlane.Api.Events;
using ControlPlane.Api.Hosts;
using ControlPlane.Api.Inventories;
using ControlPlane.Api.Migrations;
using ControlPlane.Api.Networks;
using ControlPlane.Api.OpenApi;
using ControlPlane.Api.Operations;
using ControlPlane.Api.PciDevices;
using ControlPlane.Api.Pipeline;
using ControlPlane.Api.Placements;
using ControlPlane.Api.Profiles;
using ControlPlane.Api.Projects;
using ControlPlane.Api.Tokens;
using ControlPlane.Api.Statistics;
using ControlPlane.Api.VirtualMachines;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace ControlPlane.Api;

/// <summary>The HTTP API as a whole: what the server adds and maps.</summary>
public static class ControlPlaneApi
{
    public static IServiceCollection AddControlPlaneApi(this IServiceCollection services)
    {
        // The core alone: nothing here needs the key ring that the rest of it brings.
        services.AddAuthenticationCore(options => options.DefaultScheme = BearerTokenHandler.SchemeName);
        services.AddWebEncoders();
        new AuthenticationBuilder(services)
            .AddScheme<AuthenticationSchemeOptions, BearerTokenHandler>(BearerTokenHandler.SchemeName, null);
        services.AddAuthorization(options => options.AddRolePolicies());
        services.AddSingleton<IAuthorizationMiddlewareResultHandler, RefusedAccess>();
        services.AddSingleton<AuditTrail>();
        services.AddSingleton<IdempotentAnswers>();
        services.AddScoped<RecordedAnswer>();
        services.AddSingleton<KeyedGate<(string Principal, string Key)>>();
        services.AddSingleton<EventSignal>();
        services.AddSingleton<EventStreams>();
        services.AddSingleton<ProjectScope>();
        services.AddSingleton<HostMapping>();
        services.AddSingleton<DeviceOwners>();
        services.AddSingleton<DeviceListing>();
        services.AddSingleton<DevicePoolMapping>();
        services.AddSingleton<VmLookup>();
        services.AddSingleton<VmListing>();
        services.AddSingleton<VmMapping>();
        services.AddSingleton<MigrationMapping>();
        services.AddSingleton<MigrationListing>();
        services.AddSingleton<OperationMapping>();
        services.AddSingleton<ProjectMapping>();
        services.AddSingleton<EventMapping>();
        services.AddOpenApiDocument();
        return services;
    }

    /// <summary>What every request passes before it reaches an endpoint.</summary>
    /// <param name="beforeAccess">Put between the error handling and the question who calls.</param>
    public static IApplicationBuilder UseControlPlaneApi(this IApplicationBuilder app, Action<IApplicationBuilder> beforeAccess)
    {
        app.UseMiddleware<ExceptionProblems>().UseRouting();
        beforeAccess(app);
        app.UseOpenApiPage();
        return app.UseAuthentication().UseAuthorization();
    }

    public static void MapControlPlaneApi(this IEndpointRouteBuilder routes, bool openApiIsOpen)
    {
        routes.MapHosts();
        routes.MapPciDevices();
        routes.MapInventories();
        routes.MapProfiles();
        routes.MapDevicePools();
        routes.MapNetworks();
        routes.MapVirtualMachines();
        routes.MapStatistics();
        routes.MapMigrations();
        routes.MapPlacements();
        routes.MapOperations();
        routes.MapProjects();
        routes.MapTokens();
        routes.MapEvents();
        routes.MapAudit();
        routes.MapOpenApi(openApiIsOpen);
    }
}

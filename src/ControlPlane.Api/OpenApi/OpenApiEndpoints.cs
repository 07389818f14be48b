using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.Swagger;
using Role = ControlPlane.Domain.Projects.Role;

namespace ControlPlane.Api.OpenApi;

/// <summary>The document at <c>/openapi/controlplane-v1.json</c>, and a page to read and try it at <c>/openapi</c>.</summary>
internal static class OpenApiEndpoints
{
    public static void MapOpenApi(this IEndpointRouteBuilder routes)
    {
        routes.MapGet($"/openapi/{OpenApiSetup.DocumentName}.json", Document).Allow(Role.Viewer).ExcludeFromDescription();
    }

    private static IResult Document(ISwaggerProvider documents) =>
        Results.Text(ControlPlaneApi.WriteOpenApi(documents), "application/json");
}

using ControlPlane.Api.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Swashbuckle.AspNetCore.Swagger;

namespace ControlPlane.Api.OpenApi;

/// <summary>The document at <c>/openapi/controlplane-v1.json</c>, and at <c>/openapi</c> for who does not know its name.</summary>
internal static class OpenApiEndpoints
{
    public static readonly string DocumentPath = $"/openapi/{OpenApiSetup.DocumentName}.json";

    public static void MapOpenApi(this IEndpointRouteBuilder routes, bool open)
    {
        routes.MapDocument("/openapi", open);
        routes.MapDocument(DocumentPath, open);
    }

    private static void MapDocument(this IEndpointRouteBuilder routes, string path, bool open) =>
        routes.MapGet(path, (ISwaggerProvider documents) => Results.Text(OpenApiText.Write(documents), "application/json"))
            .AllowViewers(open)
            .ExcludeFromDescription();
}

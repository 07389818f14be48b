using ControlPlane.Api.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Swashbuckle.AspNetCore.Swagger;

namespace ControlPlane.Api.OpenApi;

/// <summary>The document at <c>/openapi/controlplane-v1.json</c>, and a page at <c>/openapi</c> to read it and try it out.</summary>
internal static class OpenApiEndpoints
{
    public static void MapOpenApi(this IEndpointRouteBuilder routes, bool open) =>
        routes.MapGet($"/openapi/{OpenApiSetup.DocumentName}.json", (ISwaggerProvider documents) =>
                Results.Text(OpenApiText.Write(documents), "application/json"))
            .AllowViewers(open)
            .ExcludeFromDescription();

    /// <summary>The page at <c>/openapi</c> on which the document is read and tried out. A browser has no token to send: for open installations.</summary>
    public static IApplicationBuilder UseOpenApiPage(this IApplicationBuilder app) => app.UseSwaggerUI(page =>
    {
        page.RoutePrefix = "openapi";
        page.DocumentTitle = "ControlPlane API";
        page.SwaggerEndpoint($"/openapi/{OpenApiSetup.DocumentName}.json", "ControlPlane API v1");
        page.EnablePersistAuthorization();
    });
}

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Api.OpenApi;

/// <summary>
/// The page on which people read the API and try it out. It is open, because it holds nothing; the document it shows and the calls it makes
/// ask for a token, and so the page asks for one (<c>TokenDialog.html</c>).
/// </summary>
internal static class OpenApiPage
{
    private const string Prefix = "openapi/page";

    /// <summary>Before the question who calls: a browser that comes to <c>/openapi</c> is led to the page.</summary>
    public static void UseOpenApiPage(this IApplicationBuilder app)
    {
        app.Use((context, next) =>
        {
            if (context.Request.Path != "/openapi" || !IsBrowser(context.Request))
                return next(context);
            context.Response.Redirect($"/{Prefix}/index.html");
            return Task.CompletedTask;
        });
        app.UseSwaggerUI(options =>
        {
            options.RoutePrefix = Prefix;
            options.DocumentTitle = "ControlPlane API";
            options.SwaggerEndpoint(OpenApiEndpoints.DocumentPath, "ControlPlane");
            options.HeadContent = TokenDialog();
            // Swashbuckle cuts the function at its braces.
            options.UseRequestInterceptor("(request) => { return withToken(request); }");
            options.DefaultModelsExpandDepth(-1);
            options.EnableDeepLinking();
            options.EnableFilter();
        });
    }

    private static string TokenDialog()
    {
        using var resource = typeof(OpenApiPage).Assembly.GetManifestResourceStream(typeof(OpenApiPage), "TokenDialog.html")!;
        using var text = new StreamReader(resource);
        return text.ReadToEnd();
    }

    private static bool IsBrowser(HttpRequest request) =>
        request.Headers.Authorization.Count == 0
        && request.Headers.Accept.Any(a => a?.Contains("text/html", StringComparison.OrdinalIgnoreCase) ?? false);
}

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Api.OpenApi;

/// <summary>
/// The page on which people read the API and try it out. It is open, because it holds nothing; the document it shows and the calls it makes
/// ask for a token, and so the page asks for one.
/// </summary>
internal static class OpenApiPage
{
    private const string Prefix = "openapi/page";

    private const string WithToken =
        """
        (request) => {
          const token = sessionStorage.getItem('controlplane-token') ?? prompt('Token (see DATA/admin-token)') ?? '';
          sessionStorage.setItem('controlplane-token', token);
          if (token && !request.headers.Authorization) request.headers.Authorization = 'Bearer ' + token;
          return request;
        }
        """;

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
            options.SwaggerEndpoint($"/openapi/{OpenApiSetup.DocumentName}.json", "ControlPlane");
            options.UseRequestInterceptor(WithToken.ReplaceLineEndings(" "));
        });
    }

    private static bool IsBrowser(HttpRequest request) =>
        request.Headers.Authorization.Count == 0
        && request.Headers.Accept.Any(a => a?.Contains("text/html", StringComparison.OrdinalIgnoreCase) ?? false);
}

using ControlPlane.Api.OpenApi;
using Swashbuckle.AspNetCore.Swagger;

namespace ControlPlane.Server;

/// <summary>Writes the OpenAPI document of the endpoints that would be served. Nothing is started for it.</summary>
internal static class OpenApiFile
{
    public static async Task WriteAsync(WebApplication app, string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllTextAsync(file, OpenApiText.Write(app.Services.GetRequiredService<ISwaggerProvider>()));
    }
}

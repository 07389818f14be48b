using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.Swagger;

namespace ControlPlane.Api.OpenApi;

/// <summary>The OpenAPI 3.1 document as it is served, committed and compared.</summary>
public static class OpenApiText
{
    /// <summary>JSON, ending in a line feed.</summary>
    public static string Write(ISwaggerProvider documents)
    {
        var document = documents.GetSwagger(OpenApiSetup.DocumentName);
        using var text = new StringWriter { NewLine = "\n" };
        document.SerializeAs(OpenApiSpecVersion.OpenApi3_1, new OpenApiJsonWriter(text));
        return text.ToString().ReplaceLineEndings("\n") + "\n";
    }
}

using System.Globalization;
using System.Text.Json.Nodes;
using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Api.Pipeline;
using ControlPlane.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace ControlPlane.Api.OpenApi;

/// <summary>
/// Writes an operation from the metadata that also drives the pipeline (<see cref="EndpointDescription"/>, <see cref="QueryParameter"/>,
/// <see cref="BodyMetadata"/>, <see cref="MinimumRole"/>), so that the document cannot say other than the server does.
/// </summary>
internal sealed class DescribeOperation : IOperationFilter
{
    private const string Json = "application/json";

    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        var metadata = context.ApiDescription.ActionDescriptor.EndpointMetadata;
        var description = metadata.OfType<EndpointDescription>().LastOrDefault();
        if (description is null)
            return;
        var role = metadata.OfType<MinimumRole>().Last().Role;
        operation.OperationId = description.OperationId;
        operation.Summary = description.Summary;
        operation.Description = $"Asks for the role `{role.ToString().ToLowerInvariant()}` or a higher one.";
        operation.Parameters = [.. PathParameters(context.ApiDescription.RelativePath!), .. metadata.OfType<QueryParameter>().Select(ToOpenApi), .. Headers(context, description)];
        operation.RequestBody = metadata.OfType<BodyMetadata>().LastOrDefault() is { } body && body.Type != typeof(EmptyRequest)
            ? RequestBody(body, context)
            : null;
        operation.Responses = Responses(description, metadata.OfType<AlternativeAnswer>(), context);
    }

    private static IEnumerable<OpenApiParameter> PathParameters(string path) =>
        from segment in path.Split('/')
        where segment.StartsWith('{')
        let name = segment.Trim('{', '}').Split(':')[0]
        select new OpenApiParameter
        {
            Name = name,
            In = ParameterLocation.Path,
            Required = true,
            Description = PathParameterTexts.Describe(name),
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            Example = PathParameterTexts.Example(name),
        };

    private static OpenApiParameter ToOpenApi(QueryParameter parameter)
    {
        var schema = new OpenApiSchema { Type = JsonSchemaType.String };
        if (parameter.Type == typeof(long))
        {
            schema.Type = JsonSchemaType.Integer;
            schema.Format = "int64";
            schema.Minimum = parameter.Min.ToString(CultureInfo.InvariantCulture);
            schema.Maximum = parameter.Max == long.MaxValue ? null : parameter.Max.ToString(CultureInfo.InvariantCulture);
        }
        else if (parameter.Type == typeof(bool))
        {
            schema.Type = JsonSchemaType.Boolean;
        }
        else if (parameter.Type.IsEnum)
        {
            schema.Enum = [.. EnumText.Names(parameter.Type).Select(n => (JsonNode)n)];
        }
        else if (parameter.Choices is not null)
        {
            schema.Enum = [.. parameter.Choices.Select(c => (JsonNode)c)];
        }
        schema.Default = parameter.Default switch
        {
            int number => number,
            string text => text,
            _ => null,
        };
        return new OpenApiParameter { Name = parameter.Name, In = ParameterLocation.Query, Description = parameter.Description, Schema = schema };
    }

    private static IEnumerable<OpenApiParameter> Headers(OperationFilterContext context, EndpointDescription description)
    {
        var method = context.ApiDescription.HttpMethod;
        if (HttpMethods.IsPost(method!))
            yield return Header(RequestDigest.KeyHeader, "The same key and request within 24 hours give the first answer again.");
        else if (description.Mutates)
            yield return Header("If-Match", "The ETag that the change is based on: 412 when it is stale.");
        if (description.SuccessStatus == StatusCodes.Status202Accepted)
            yield return Header("Prefer", "`wait=N` holds the answer for up to N seconds until the operation ends.");
        if (description.OperationId == "ListEvents")
            yield return Header("Last-Event-ID", "With `Accept: text/event-stream`: the stream goes on after this event.");
    }

    private static OpenApiParameter Header(string name, string description) => new()
    {
        Name = name,
        In = ParameterLocation.Header,
        Description = description,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };

    private static OpenApiRequestBody RequestBody(BodyMetadata body, OperationFilterContext context)
    {
        var required = ContractsJson.Wire.GetTypeInfo(body.Type)!.Properties.Any(p => p.IsRequired);
        return new OpenApiRequestBody
        {
            Required = required,
            Content = new Dictionary<string, IOpenApiMediaType>
            {
                [Json] = new OpenApiMediaType { Schema = Schema(body.Type, context), Example = Examples.Of(body.Type) },
            },
        };
    }

    private static OpenApiResponses Responses(EndpointDescription description, IEnumerable<AlternativeAnswer> alternatives, OperationFilterContext context)
    {
        var responses = new OpenApiResponses
        {
            [Status(description.SuccessStatus)] = Success(SuccessText(description), description.AnswerType, description, context),
        };
        foreach (var alternative in alternatives)
        {
            var response = Success(alternative.Description, alternative.Type, null, context, alternative.MediaType);
            if (responses.TryGetValue(Status(alternative.Status), out var present) && present is OpenApiResponse { Content: { } content })
                content[alternative.MediaType] = response.Content![alternative.MediaType];
            else
                responses[Status(alternative.Status)] = response;
        }
        int[] problems = description.Mutates && context.ApiDescription.HttpMethod != "POST" ? [.. description.Problems, 412] : description.Problems;
        foreach (var status in problems.Order())
            responses[Status(status)] = new OpenApiResponseReference(ProblemTexts.Component(status), context.Document);
        return responses;
    }

    private static OpenApiResponse Success(
        string text, Type? type, EndpointDescription? description, OperationFilterContext context, string mediaType = Json)
    {
        var response = new OpenApiResponse { Description = text };
        if (type is not null)
        {
            response.Content = new Dictionary<string, IOpenApiMediaType>
            {
                [mediaType] = type == typeof(string)
                    ? new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String } }
                    : new OpenApiMediaType { Schema = Schema(type, context), Example = Examples.Of(type) },
            };
        }
        if (description is { HasETag: true })
            response.Headers = ResponseHeader("ETag", "What `If-Match` takes.");
        else if (description?.SuccessStatus == StatusCodes.Status202Accepted)
            response.Headers = ResponseHeader("Location", "Where to watch the operation.");
        return response;
    }

    private static Dictionary<string, IOpenApiHeader> ResponseHeader(string name, string description) => new()
    {
        [name] = new OpenApiHeader { Description = description, Schema = new OpenApiSchema { Type = JsonSchemaType.String } },
    };

    private static string SuccessText(EndpointDescription description) => description.SuccessStatus switch
    {
        StatusCodes.Status201Created => "Made.",
        StatusCodes.Status202Accepted => "Accepted: the operation that carries it out, as it is when the answer is given.",
        StatusCodes.Status204NoContent => "Done.",
        _ => "As asked.",
    };

    private static IOpenApiSchema Schema(Type type, OperationFilterContext context) =>
        context.SchemaGenerator.GenerateSchema(type, context.SchemaRepository);

    private static string Status(int status) => status.ToString(CultureInfo.InvariantCulture);
}

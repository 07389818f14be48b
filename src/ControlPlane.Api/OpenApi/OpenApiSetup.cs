using System.Text.Json.Serialization.Metadata;
using ControlPlane.Api.Conventions;
using ControlPlane.Contracts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace ControlPlane.Api.OpenApi;

/// <summary>The OpenAPI document: made by Swashbuckle from the running endpoints.</summary>
internal static class OpenApiSetup
{
    public const string DocumentName = "controlplane-v1";

    public static void AddOpenApiDocument(this IServiceCollection services)
    {
        services.AddEndpointsApiExplorer();
        services.AddSwaggerGen(options =>
        {
            options.SwaggerDoc(DocumentName, new OpenApiInfo
            {
                Title = "ControlPlane",
                Version = "1",
                Description = "A control plane for fleets of KVM hosts in which PCI devices are first-class.",
                Contact = new OpenApiContact { Name = "The ControlPlane authors", Url = new Uri("https://github.com/controlplane/controlplane") },
                License = new OpenApiLicense { Name = "Apache-2.0", Identifier = "Apache-2.0" },
            });
            options.SupportNonNullableReferenceTypes();
            options.NonNullableReferenceTypesAsRequired();
            options.UseAllOfToExtendReferenceSchemas();
            options.IncludeXmlComments(typeof(ContractsJson).Assembly);
            options.CustomSchemaIds(SchemaId);
            options.OperationFilter<DescribeOperation>();
            options.SchemaFilter<StrictSchema>();
            options.DocumentFilter<DescribeDocument>();
        });
    }

    /// <summary>Names without the suffix that only C# needs; <c>Page&lt;HostResponse&gt;</c> becomes <c>HostPage</c>.</summary>
    private static string SchemaId(Type type)
    {
        if (type.IsGenericType)
            return SchemaId(type.GetGenericArguments()[0]) + type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)];
        return type.Name.EndsWith("Response", StringComparison.Ordinal) ? type.Name[..^"Response".Length] : type.Name;
    }
}

/// <summary>Requests refuse unknown fields, and the document says so; a field is required exactly where the reader asks for it.</summary>
internal sealed class StrictSchema : ISchemaFilter
{
    public void Apply(IOpenApiSchema schema, SchemaFilterContext context)
    {
        if (schema is not OpenApiSchema { Properties.Count: > 0 } described)
            return;
        if (ContractsJson.Wire.GetTypeInfo(context.Type) is not { Kind: JsonTypeInfoKind.Object } type)
            return;
        var isRequest = context.Type.Name.EndsWith("Request", StringComparison.Ordinal);
        described.Required = isRequest
            ? type.Properties.Where(p => p.IsRequired).Select(p => p.Name).ToHashSet()
            : described.Properties.Keys.ToHashSet();
        if (context.Type == typeof(ProblemResponse))
            described.Required.ExceptWith(["errors", "explanation"]);
        described.AdditionalPropertiesAllowed = false;
        foreach (var property in type.Properties.Where(p => p.IsGetNullable || p.IsSetNullable))
            AllowNull(described.Properties, property.Name);
    }

    /// <summary>A reference cannot be nullable by itself: it is one of two.</summary>
    private static void AllowNull(IDictionary<string, IOpenApiSchema> properties, string name)
    {
        if (properties[name] is OpenApiSchemaReference direct)
            properties[name] = new OpenApiSchema { AnyOf = [direct, new OpenApiSchema { Type = JsonSchemaType.Null }] };
        else if (properties[name] is OpenApiSchema { AllOf: [OpenApiSchemaReference reference] } extended)
            (extended.AllOf, extended.Type, extended.AnyOf) = (null, null, [reference, new OpenApiSchema { Type = JsonSchemaType.Null }]);
    }
}

/// <summary>What holds for the document as a whole: where the server is, how to sign in, and what the tags mean.</summary>
internal sealed class DescribeDocument : IDocumentFilter
{
    private const string Bearer = "bearer";

    private static readonly (string Name, string Text)[] Tags =
    [
        ("Hosts", "KVM hosts, their state and their drain."),
        ("PCI devices", "Every PCI function of every host: what it is and who holds it."),
        ("Inventories", "Hosts described by what standard tools print on them."),
        ("Profiles", "Hardware profiles that ship with the server."),
        ("Device pools", "Named sets of like devices that VMs ask for."),
        ("Networks", "Layer-2 networks that interfaces attach to."),
        ("Virtual machines", "VMs, their power, devices and interfaces."),
        ("Migrations", "Live moves of VMs with their devices."),
        ("Placements", "Questions to the scheduler."),
        ("Operations", "Long work: watched, waited for, cancelled."),
        ("Projects", "Tenants and their quotas."),
        ("Tokens", "Bearer tokens and their roles."),
        ("Events", "What happened, as a list and as a stream."),
        ("Audit", "Who asked for what, from where, with what result."),
    ];

    public void Apply(OpenApiDocument swaggerDoc, DocumentFilterContext context)
    {
        swaggerDoc.Servers = [new OpenApiServer { Url = "/", Description = "This server." }];
        var problem = context.SchemaGenerator.GenerateSchema(typeof(ProblemResponse), context.SchemaRepository);
        foreach (var status in ProblemTexts.Statuses)
            swaggerDoc.AddComponent(ProblemTexts.Component(status), ProblemTexts.Response(status, problem));
        swaggerDoc.Tags = Tags.Select(t => new OpenApiTag { Name = t.Name, Description = t.Text }).ToHashSet();
        swaggerDoc.AddComponent(Bearer, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = "The admin token is written to DATA/admin-token at the first start; POST /api/v1/tokens makes others.",
        });
        swaggerDoc.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Bearer, swaggerDoc)] = [] }];
    }
}

using System.Reflection;
using ControlPlane.Domain;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;

namespace ControlPlane.Api.Conventions;

/// <summary>The query's values, already checked against the endpoint's <see cref="QueryParameter"/>s.</summary>
internal sealed class Query : IBody
{
    private static readonly Query Empty = new([], null);
    private readonly Dictionary<string, object> values;

    private Query(Dictionary<string, object> values, Answer? refusal) => (this.values, Refusal) = (values, refusal);

    public Answer? Refusal { get; }

    public string? Text(string name) => values.GetValueOrDefault(name) as string;

    public long? Number(string name) => values.GetValueOrDefault(name) as long?;

    public bool? Flag(string name) => values.GetValueOrDefault(name) as bool?;

    public TEnum? Choice<TEnum>(string name)
        where TEnum : struct, Enum => values.GetValueOrDefault(name) as TEnum?;

    /// <summary>Every endpoint is checked, also one that reads none of its query: see <c>Pipeline.RefusalFilter</c>.</summary>
    public static Query Of(HttpContext context)
    {
        if (context.Features.Get<Query>() is { } known)
            return known;
        var query = Read(context);
        context.Features.Set(query);
        return query;
    }

    public static ValueTask<Query?> BindAsync(HttpContext context, ParameterInfo parameter) => ValueTask.FromResult<Query?>(Of(context));

    private static Query Read(HttpContext context)
    {
        if (!context.Request.QueryString.HasValue)
            return Empty;
        var parameters = context.GetEndpoint()?.Metadata.GetOrderedMetadata<QueryParameter>() ?? [];
        var values = new Dictionary<string, object>(StringComparer.Ordinal);
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        foreach (var (name, texts) in context.Request.Query)
        {
            var parameter = parameters.FirstOrDefault(p => p.Name == name);
            if (parameter is null)
                errors[name] = ["is not a known parameter."];
            else if (texts.Count != 1)
                errors[name] = ["is given more than once."];
            else if (parameter.Read(texts[0] ?? "", out var value) is { } wrong)
                errors[name] = [wrong];
            else
                values[name] = value!;
        }
        return new Query(values, errors.Count == 0 ? null : (Answer)Fault.Fields(FaultKind.Malformed, errors));
    }
}

using System.Globalization;
using Microsoft.AspNetCore.Builder;

namespace ControlPlane.Api.Conventions;

/// <summary>
/// A query parameter that an endpoint takes. Declared as metadata, it is checked before the endpoint runs, documented in OpenAPI, and
/// the list of them is all that the endpoint takes: another name is a typo and refused.
/// </summary>
/// <param name="Type">string, long, bool, or an enumeration of the contracts.</param>
internal sealed record QueryParameter(string Name, Type Type, string Description)
{
    public long Min { get; init; }

    public long Max { get; init; } = long.MaxValue;

    public object? Default { get; init; }

    /// <summary>The only texts allowed, for a string that is a choice.</summary>
    public IReadOnlyList<string>? Choices { get; init; }

    public static QueryParameter Text(string name, string description) => new(name, typeof(string), description);

    public static QueryParameter Choice<TEnum>(string name, string description)
        where TEnum : struct, Enum => new(name, typeof(TEnum), description);

    public static QueryParameter Number(string name, string description, long min, long max) =>
        new(name, typeof(long), description) { Min = min, Max = max };

    public static QueryParameter Flag(string name, string description) => new(name, typeof(bool), description);

    public static readonly QueryParameter Project = Text("project", "Id or name of the project; absent: that of the caller's token, else `default`.");

    /// <summary>What is wrong with the text; null: nothing, and <paramref name="value"/> is what it says.</summary>
    public string? Read(string text, out object? value)
    {
        value = text;
        if (text.Contains('\0', StringComparison.Ordinal))
            return "must not contain the character U+0000.";
        if (Choices is not null)
            return Choices.Contains(text) ? null : $"must be one of: {string.Join(", ", Choices)}.";
        if (Type.IsEnum)
            return EnumText.TryParse(Type, text, out value) ? null : $"must be one of: {string.Join(", ", EnumText.Names(Type))}.";
        if (Type == typeof(bool))
        {
            value = text == "true";
            return text is "true" or "false" ? null : "must be true or false.";
        }
        if (Type == typeof(long))
        {
            var readable = long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number);
            value = number;
            return readable && number >= Min && number <= Max ? null : $"must be a whole number from {Min} to {Max}.";
        }
        return text.Length is 0 or > 1024 ? "must be 1 to 1024 characters long." : null;
    }
}

internal static class QueryParameterExtensions
{
    public static TBuilder WithQuery<TBuilder>(this TBuilder builder, params QueryParameter[] parameters)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata([.. parameters.Cast<object>()]);

    /// <summary>A list: <c>limit</c>, <c>pageToken</c>, <c>sort</c> by one of the given fields (the first is the default), and filters.</summary>
    public static TBuilder WithList<TBuilder>(this TBuilder builder, string[] sorts, params QueryParameter[] filters)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithQuery([
            QueryParameter.Number("limit", "How many items a page has at most.", 1, 1000) with { Default = Paging.DefaultLimit },
            QueryParameter.Text("pageToken", "`nextPageToken` of the page before."),
            QueryParameter.Text("sort", "The field to sort by; `-` before it turns the order round.") with
            {
                Choices = [.. sorts, .. sorts.Select(s => "-" + s)],
                Default = sorts[0],
            },
            .. filters,
        ]);
}

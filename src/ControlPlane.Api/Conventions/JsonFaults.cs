using System.Buffers;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using ControlPlane.Contracts;
using ControlPlane.Domain;

namespace ControlPlane.Api.Conventions;

/// <summary>Turns what the JSON reader says into what a caller can mend: the field's path and what is wanted there.</summary>
internal static partial class JsonFaults
{
    private const int DigitsShown = 40;

    public static Answer NotAnObject() => Fault.Field(FaultKind.Malformed, "$", "must be a JSON object.");

    /// <param name="body">What was read, to tell a number that is too large from what is no number.</param>
    public static Answer From(JsonException exception, JsonTypeInfo root, in ReadOnlySequence<byte> body)
    {
        if (exception.Message.Contains("missing required", StringComparison.Ordinal))
            return Fault.Fields(FaultKind.Malformed, Missing(exception));
        var path = FieldPath(exception.Path);
        if (exception.Message.Contains("could not be mapped", StringComparison.Ordinal))
            return Fault.Field(FaultKind.Malformed, path, "is not a known field.");
        if (exception.Message.Contains("uplicate", StringComparison.Ordinal))
            return Fault.Field(FaultKind.Malformed, path, "is given twice.");
        // The converters say "could not be converted"; anything else that is not about null is broken JSON at that place.
        var aboutValue = exception.Message.Contains("converted", StringComparison.Ordinal) || exception.Message.Contains("null", StringComparison.Ordinal);
        if (!aboutValue)
            return Fault.Field(FaultKind.Malformed, path, $"is not valid JSON at line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}.");
        var (wanted, range) = Wanted(root, exception.Path);
        // A whole number beyond the type is as readable, and as impossible, as one that the type holds and the field does not.
        return IsWhole(wanted) && WholeNumber(body, exception.Path) is { } number
            ? Fault.Field(FaultKind.Impossible, path, $"must be from {range.Min} to {range.Max}, is {number}.")
            : Fault.Field(FaultKind.Malformed, path, Describe(wanted, range));
    }

    /// <summary>
    /// A string with U+0000 in it is valid JSON but no text for the database, whatever the field; it is refused here once. The search is a
    /// vectorized look for the escape, and only where that is found are the tokens walked.
    /// </summary>
    public static Answer? FindNul(ReadOnlySpan<byte> text)
    {
        if (text.IndexOf("\\u0000"u8) < 0)
            return null;
        var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = ContractsJson.Wire.Options.MaxDepth });
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped
                && reader.GetString()!.Contains('\0', StringComparison.Ordinal))
                return Fault.Field(FaultKind.Malformed, "$", $"has a string with the character U+0000 before byte {reader.BytesConsumed}.");
        }
        return null;
    }

    /// <summary><c>$.interfaces[0].mac</c> becomes <c>interfaces[0].mac</c>; the whole body stays <c>$</c>.</summary>
    private static string FieldPath(string? path) => path switch
    {
        null or "" or "$" => "$",
        _ when path.StartsWith("$.", StringComparison.Ordinal) => path[2..],
        _ => path[1..],
    };

    private static Dictionary<string, string[]> Missing(JsonException exception)
    {
        var at = FieldPath(exception.Path);
        var list = exception.Message.IndexOf("including:", StringComparison.Ordinal);
        var names = list < 0 ? [] : Quoted().Matches(exception.Message[list..]).Select(m => m.Groups[1].Value).ToList();
        var prefix = at == "$" ? "" : at + ".";
        return names.Count == 0
            ? new() { [at] = ["a required field is missing."] }
            : names.ToDictionary(name => prefix + name, _ => new[] { "is required." });
    }

    /// <summary>Walks the contract along the path to what the value should have been, and between which bounds a whole number.</summary>
    private static (Type Type, (long Min, long Max) Range) Wanted(JsonTypeInfo root, string? path)
    {
        var at = root.Type;
        RangeAttribute? range = null;
        foreach (Match segment in Segments().Matches(path ?? "$"))
        {
            var type = ContractsJson.Wire.GetTypeInfo(at);
            var property = type?.Kind == JsonTypeInfoKind.Object ? type.Properties.FirstOrDefault(p => p.Name == segment.Groups["name"].Value) : null;
            range = property?.AttributeProvider?.GetCustomAttributes(typeof(RangeAttribute), false).OfType<RangeAttribute>().FirstOrDefault();
            var next = type?.Kind switch
            {
                JsonTypeInfoKind.Object => property?.PropertyType,
                JsonTypeInfoKind.Enumerable or JsonTypeInfoKind.Dictionary => type.ElementType,
                _ => null,
            };
            if (next is null)
                break;
            at = next;
        }
        at = Nullable.GetUnderlyingType(at) ?? at;
        var bounds = range is null
            ? (0, at == typeof(long) ? long.MaxValue : int.MaxValue)
            : (Convert.ToInt64(range.Minimum, CultureInfo.InvariantCulture), Convert.ToInt64(range.Maximum, CultureInfo.InvariantCulture));
        return (at, bounds);
    }

    private static bool IsWhole(Type type) => type == typeof(int) || type == typeof(long);

    /// <summary>The digits at the path, shortened; null when there is something else.</summary>
    private static string? WholeNumber(in ReadOnlySequence<byte> body, string? path)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = ContractsJson.Wire.Options.MaxDepth });
            var at = document.RootElement;
            foreach (Match segment in Segments().Matches(path ?? "$"))
                at = segment.Groups["index"] is { Success: true } index ? at[int.Parse(index.Value, CultureInfo.InvariantCulture)] : at.GetProperty(segment.Groups["name"].Value);
            var text = at.GetRawText();
            return at.ValueKind != JsonValueKind.Number || !text.All(c => c == '-' || char.IsAsciiDigit(c)) ? null
                : text.Length <= DigitsShown ? text : text[..DigitsShown] + "…";
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or IndexOutOfRangeException)
        {
            // Broken further on, or the path cannot be followed: then it is told what is wanted, not what is there.
            return null;
        }
    }

    private static string Describe(Type type, (long Min, long Max) range)
    {
        if (type.IsEnum)
            return $"must be one of: {string.Join(", ", EnumText.Names(type))}.";
        return Type.GetTypeCode(type) switch
        {
            TypeCode.String => "must be a string.",
            TypeCode.Boolean => "must be true or false.",
            TypeCode.Int32 or TypeCode.Int64 => $"must be a whole number from {range.Min} to {range.Max}.",
            TypeCode.Double => "must be a number.",
            _ when ContractsJson.Wire.GetTypeInfo(type)?.Kind == JsonTypeInfoKind.Enumerable => "must be an array.",
            _ => "must be an object.",
        };
    }

    [GeneratedRegex(@"'([^']+)'", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture & 0)]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\.(?<name>[^.\[]+)|\['(?<name>[^']*)'\]|\[(?<index>\d+)\]", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Segments();
}

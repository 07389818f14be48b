using System.Text.Json;

namespace ControlPlane.Api.Tests.Contract;

/// <summary>
/// Compares an answer with an example of the published contract: each field of the example is there, with the same kind of value, and a whole
/// number stays one. Where the example shows null, or the field is named as nullable, null fits.
/// </summary>
internal static class Shape
{
    public static IEnumerable<string> Differences(string example, string answer, params string[] nullable)
    {
        using var wanted = JsonDocument.Parse(example);
        using var given = JsonDocument.Parse(answer);
        return [.. Compare("", wanted.RootElement, given.RootElement, nullable)];
    }

    private static IEnumerable<string> Compare(string at, JsonElement wanted, JsonElement given, string[] nullable)
    {
        if (wanted.ValueKind == JsonValueKind.Null || (given.ValueKind == JsonValueKind.Null && nullable.Contains(at)))
            return [];
        if (Kind(wanted) != Kind(given))
            return [$"{at}: the contract has {wanted.GetRawText()}, the answer {given.GetRawText()}"];
        return wanted.ValueKind switch
        {
            JsonValueKind.Object => wanted.EnumerateObject().SelectMany(field => given.TryGetProperty(field.Name, out var value)
                ? Compare($"{at}.{field.Name}".TrimStart('.'), field.Value, value, nullable)
                : [$"{at}.{field.Name}: is missing"]),
            JsonValueKind.Array when wanted.GetArrayLength() > 0 => given.GetArrayLength() == 0
                ? [$"{at}: has no item to compare"]
                : given.EnumerateArray().SelectMany(item => Compare(at + "[]", wanted[0], item, nullable)),
            JsonValueKind.Number when IsWhole(wanted) && !IsWhole(given) => [$"{at}: the contract has a whole number, the answer {given.GetRawText()}"],
            _ => [],
        };
    }

    private static JsonValueKind Kind(JsonElement value) => value.ValueKind == JsonValueKind.False ? JsonValueKind.True : value.ValueKind;

    private static bool IsWhole(JsonElement number) => !number.GetRawText().AsSpan().ContainsAny(".eE");
}

using System.Collections.Frozen;
using System.Text.Json;

namespace ControlPlane.Persistence.Schema;

/// <summary>
/// An enumeration's values as stored, announced and counted: the API's kebab-case words, so that rows, events and metrics read as the API
/// says it.
/// </summary>
public static class KebabEnum<T> where T : struct, Enum
{
    private static readonly FrozenDictionary<T, string> Names =
        Enum.GetValues<T>().ToFrozenDictionary(v => v, v => JsonNamingPolicy.KebabCaseLower.ConvertName(v.ToString()));

    private static readonly FrozenDictionary<string, T> Values = Names.ToFrozenDictionary(n => n.Value, n => n.Key, StringComparer.Ordinal);

    public static string Write(T value) => Names[value];

    public static T Read(string text) =>
        Values.TryGetValue(text, out var value) ? value : throw new InvalidOperationException($"'{text}' is no stored {typeof(T).Name}.");
}

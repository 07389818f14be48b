using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ControlPlane.Api.Conventions;

/// <summary>Enumeration values as the wire spells them, for query parameters and messages.</summary>
internal static class EnumText
{
    private static readonly ConcurrentDictionary<Type, IReadOnlyList<(string Name, object Value)>> Known = new();

    public static IEnumerable<string> Names(Type type) => Of(type).Select(e => e.Name);

    public static bool TryParse(Type type, string text, out object? value)
    {
        value = Of(type).FirstOrDefault(e => e.Name == text).Value;
        return value is not null;
    }

    private static IReadOnlyList<(string Name, object Value)> Of(Type type) => Known.GetOrAdd(type, static t =>
        [.. t.GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (
            f.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? JsonNamingPolicy.KebabCaseLower.ConvertName(f.Name),
            f.GetValue(null)!))]);
}

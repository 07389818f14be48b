using ControlPlane.Domain;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace ControlPlane.Inventory;

/// <summary>Reads one YAML document that people wrote.</summary>
internal static class YamlText
{
    /// <summary>Unknown and repeated names are refused: a mistyped flag must not be silently off. The fault names the line.</summary>
    /// <param name="what">What the text is to be: <c>profile</c>, <c>device model</c>.</param>
    /// <param name="code">Of the fault.</param>
    public static Outcome<T> Read<T>(string what, string code, string yaml)
        where T : class
    {
        if (TextLimits.Check(what, yaml) is { } tooLong)
            return tooLong;
        try
        {
            var deserializer = new DeserializerBuilder().WithNamingConvention(CamelCaseNamingConvention.Instance).WithDuplicateKeyChecking().Build();
            return deserializer.Deserialize<T?>(yaml) is { } document ? document : Fault.Impossible(code, $"The {what} is empty.");
        }
        catch (YamlException broken)
        {
            return Fault.Impossible(code, $"Line {broken.Start.Line}: {broken.InnerException?.Message ?? broken.Message}");
        }
    }
}

using System.Globalization;
using System.Text.RegularExpressions;

namespace ControlPlane.Dev.Authoring;

/// <summary>The name and the first lines of the next schema change.</summary>
internal static partial class MigrationFile
{
    public const string NameRule = "a migration's name is words of a-z and 0-9 joined by '_', such as add_host_zone";

    public static bool IsName(string name) => NamePattern().IsMatch(name);

    /// <summary>The file's name: the number after the highest of the existing ones, so that no two ever share one on a branch.</summary>
    public static string Next(IEnumerable<string> existing, string name)
    {
        var last = existing.Select(file => NumberPattern().Match(Path.GetFileName(file))).Where(match => match.Success)
            .Select(match => int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)).DefaultIfEmpty(0).Max();
        return $"{last + 1:0000}_{name}.sql";
    }

    public static string Header(string name) =>
        $"""
        -- {name.Replace('_', ' ')}: say here what changes and why.
        -- Forward only, in one transaction, under the advisory lock that the server takes at its start. The server before this change may
        -- still run while this is applied: add first, remove in a later migration.


        """;

    [GeneratedRegex("^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"^(\d{4})_")]
    private static partial Regex NumberPattern();
}

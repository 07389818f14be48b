using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace ControlPlane.Persistence.Migrating;

/// <summary>One numbered file of <c>migrations/</c>.</summary>
/// <param name="Hash">SHA-256 of the text with line ends as LF, so that a checkout's settings do not change it.</param>
public sealed record SchemaMigration(int Number, string Name, string Sql, string Hash)
{
    private const string Folder = "migrations/";

    /// <summary>The files built into this assembly, in order: <c>migrations/0001_initial.sql</c>…</summary>
    public static IReadOnlyList<SchemaMigration> BuiltIn { get; } = [.. Read(typeof(SchemaMigration).Assembly).OrderBy(m => m.Number)];

    public static SchemaMigration From(string fileName, string sql)
    {
        var text = sql.ReplaceLineEndings("\n");
        var number = int.Parse(fileName.AsSpan(0, fileName.IndexOf('_', StringComparison.Ordinal)), CultureInfo.InvariantCulture);
        return new SchemaMigration(number, fileName, text, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
    }

    private static IEnumerable<SchemaMigration> Read(Assembly assembly)
    {
        foreach (var resource in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Folder, StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            yield return From(resource[Folder.Length..], reader.ReadToEnd());
        }
    }
}

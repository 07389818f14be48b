using System.Xml.Linq;

namespace ControlPlane.Dev.Checking;

/// <summary>Which project needs which, read from the project files.</summary>
internal sealed class ProjectGraph
{
    /// <summary>Project directories (relative, with '/') to the directories they reference.</summary>
    private readonly IReadOnlyDictionary<string, IReadOnlyList<string>> references;

    private ProjectGraph(IReadOnlyDictionary<string, IReadOnlyList<string>> references) => this.references = references;

    public static ProjectGraph Read(string root)
    {
        var references = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var folder in new[] { "src", "tests" })
        {
            foreach (var file in Directory.EnumerateFiles(Path.Combine(root, folder), "*.csproj", SearchOption.AllDirectories))
            {
                var directory = Path.GetDirectoryName(file)!;
                references[Path.GetRelativePath(root, directory)] =
                [
                    .. XDocument.Load(file).Descendants("ProjectReference").Select(reference => (string?)reference.Attribute("Include")).OfType<string>()
                        .Select(include => Path.GetRelativePath(root, Path.GetDirectoryName(Path.GetFullPath(Path.Combine(directory, include)))!)),
                ];
            }
        }

        return new ProjectGraph(references);
    }

    /// <summary>
    /// The projects whose result may differ after a change of these files (relative paths): those that hold them and all that need
    /// those. A file outside of any project, but not one that nothing is built from, may change every one.
    /// </summary>
    public IReadOnlySet<string> Affected(IEnumerable<string> files)
    {
        var affected = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            if (references.Keys.FirstOrDefault(project => file.StartsWith($"{project}/", StringComparison.Ordinal)) is { } owner)
                affected.Add(owner);
            else if (file.StartsWith("migrations/", StringComparison.Ordinal))
                affected.Add("src/ControlPlane.Persistence");
            else if (Path.GetExtension(file) is ".props" or ".targets" or ".sln" || Path.GetFileName(file) is ".editorconfig" or "global.json" or "BannedSymbols.txt")
                affected.UnionWith(references.Keys);
        }

        var before = -1;
        while (before != affected.Count)
        {
            before = affected.Count;
            affected.UnionWith(references.Where(project => project.Value.Any(affected.Contains)).Select(project => project.Key).ToList());
        }

        return affected;
    }
}

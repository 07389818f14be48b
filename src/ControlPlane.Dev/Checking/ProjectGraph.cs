using System.Xml.Linq;

namespace ControlPlane.Dev.Checking;

/// <summary>Which project needs which, read from the project files.</summary>
internal sealed class ProjectGraph
{
    /// <summary>Project directories (relative, with '/') to the directories they reference.</summary>
    private readonly IReadOnlyDictionary<string, IReadOnlyList<string>> references;

    /// <summary>Files outside of their directory that projects take in (embedded, copied beside the program): the path up to a wildcard.</summary>
    private readonly IReadOnlyList<(string Path, string Project)> takenIn;

    private ProjectGraph(IReadOnlyDictionary<string, IReadOnlyList<string>> references, IReadOnlyList<(string Path, string Project)> takenIn) =>
        (this.references, this.takenIn) = (references, takenIn);

    public static ProjectGraph Read(string root)
    {
        var references = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        var takenIn = new List<(string Path, string Project)>();
        foreach (var folder in new[] { "src", "tests" })
        {
            foreach (var file in Directory.EnumerateFiles(Path.Combine(root, folder), "*.csproj", SearchOption.AllDirectories))
            {
                var directory = Path.GetDirectoryName(file)!;
                var project = Path.GetRelativePath(root, directory);
                var includes = XDocument.Load(file).Descendants().Select(item => (item.Name.LocalName, Include: (string?)item.Attribute("Include")))
                    .Where(item => item.Include?.StartsWith("../", StringComparison.Ordinal) ?? false)
                    .ToLookup(item => item.LocalName == "ProjectReference", item => Path.GetRelativePath(root, Path.GetFullPath(Path.Combine(directory, item.Include!))));
                references[project] = [.. includes[true].Select(reference => Path.GetDirectoryName(reference)!)];
                takenIn.AddRange(includes[false].Select(path => (path.Split('*')[0], project)));
            }
        }

        return new ProjectGraph(references, takenIn);
    }

    /// <summary>
    /// The projects whose result may differ after a change of these files (relative paths): those that hold them and all that need
    /// those. A file outside of any project, but not one that nothing is built from, may change every one.
    /// </summary>
    public IReadOnlySet<string> Affected(IEnumerable<string> files)
    {
        var affected = Holding(files);
        var before = -1;
        while (before != affected.Count)
        {
            before = affected.Count;
            affected.UnionWith(references.Where(project => project.Value.Any(affected.Contains)).Select(project => project.Key).ToList());
        }

        return affected;
    }

    /// <summary>
    /// The test projects (by their folders' names) that are about what changed: those that hold a changed file, bear the name of a project
    /// that does, or reference one themselves. The others that are affected see the change only through projects between.
    /// </summary>
    public IReadOnlySet<string> NearTests(IEnumerable<string> files)
    {
        var changed = Holding(files);
        return references.Where(project => project.Key.EndsWith(".Tests", StringComparison.Ordinal))
            .Where(project => changed.Contains(project.Key) || project.Value.Any(changed.Contains) || changed.Contains(SourceOf(project.Key)))
            .Select(project => Path.GetFileName(project.Key)).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary><c>tests/Api.Tests</c> is about <c>src/ControlPlane.Api</c>.</summary>
    private static string SourceOf(string testProject) => $"src/ControlPlane.{Path.GetFileName(testProject)[..^".Tests".Length]}";

    private HashSet<string> Holding(IEnumerable<string> files)
    {
        var affected = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            if (references.Keys.FirstOrDefault(project => file.StartsWith($"{project}/", StringComparison.Ordinal)) is { } owner)
                affected.Add(owner);
            else if (file.StartsWith("openapi/", StringComparison.Ordinal))
                affected.Add("tests/Api.Tests"); // It compares the document with the endpoints.
            else if (Path.GetExtension(file) is ".props" or ".targets" or ".sln" || Path.GetFileName(file) is ".editorconfig" or "global.json" or "BannedSymbols.txt")
                affected.UnionWith(references.Keys);
            affected.UnionWith(takenIn.Where(taken => file.StartsWith(taken.Path, StringComparison.Ordinal)).Select(taken => taken.Project));
        }

        return affected;
    }
}

namespace ControlPlane.Architecture.Tests.Tree;

/// <summary>The checkout these tests were built from, as files.</summary>
internal static class SourceTree
{
    /// <summary>Directories that hold nothing written by hand.</summary>
    private static readonly HashSet<string> NotOurs = new(StringComparer.Ordinal)
        { "artifacts", "bin", "obj", "node_modules", ".git", "TestResults", "BenchmarkDotNet.Artifacts", ".vs", ".idea" };

    public static string Root { get; } = FindRoot();

    /// <summary>Every file by its path from the root, with '/'.</summary>
    public static IReadOnlyList<string> Files { get; } = [.. Walk(Root).Order(StringComparer.Ordinal)];

    public static IEnumerable<string> CSharp => Files.Where(file => file.EndsWith(".cs", StringComparison.Ordinal));

    public static IEnumerable<string> Projects => Files.Where(file => file.EndsWith(".csproj", StringComparison.Ordinal));

    /// <summary>The names of the projects below src.</summary>
    public static IEnumerable<string> SourceProjects =>
        Projects.Where(file => file.StartsWith("src/", StringComparison.Ordinal)).Select(file => Path.GetFileNameWithoutExtension(file));

    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    public static string FullPath(string file) => Path.Combine(Root, file);

    /// <summary>Captures of real machines are kept as their tools printed them; no rule about our writing holds for them.</summary>
    public static bool IsCapture(string file) => file.Contains("/data/", StringComparison.Ordinal);

    private static IEnumerable<string> Walk(string directory)
    {
        foreach (var file in Directory.EnumerateFiles(directory))
            yield return Path.GetRelativePath(Root, file);
        foreach (var child in Directory.EnumerateDirectories(directory))
        {
            // A server's data directory may lie in the checkout (the default of `up`), and belong to another user.
            if (NotOurs.Contains(Path.GetFileName(child)) || File.Exists(Path.Combine(child, "postgres.lock")))
                continue;
            foreach (var file in Walk(child))
                yield return file;
        }
    }

    private static string FindRoot()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "ControlPlane.sln")))
                return at.FullName;
        }

        throw new InvalidOperationException("These tests look at the checkout they were built in; it is not around them.");
    }
}

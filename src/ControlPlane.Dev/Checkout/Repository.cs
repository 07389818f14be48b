namespace ControlPlane.Dev.Checkout;

/// <summary>The checkout this tool works on.</summary>
internal sealed record Repository(string Root)
{
    private const string Solution = "ControlPlane.sln";

    /// <summary>The tests that run on the rig with nested hosts, and only when they are asked for: they take minutes.</summary>
    public const string RigTests = "Libvirt.Rig.Tests";

    public string SolutionFile => Path.Combine(Root, Solution);

    public string Migrations => Path.Combine(Root, "migrations");

    /// <summary>The scripts of the rig with nested hosts.</summary>
    public string SriovRig => Path.Combine(Root, "tests", "lab", "sriov");

    public string OpenApiDocument => Path.Combine(Root, "openapi", "controlplane-v1.json");

    public string OpenApiRules => Path.Combine(Root, "openapi", ".spectral.yaml");

    /// <summary>The checkout around the working directory, or else around the tool's own program; null outside of any.</summary>
    public static Repository? Find() => Around(Directory.GetCurrentDirectory()) ?? Around(AppContext.BaseDirectory);

    /// <summary>A source project's file by its name.</summary>
    public string SourceProject(string name) => Path.Combine(Root, "src", name, $"{name}.csproj");

    /// <summary>A test project's file by its folder's name.</summary>
    public string TestProject(string name) => Path.Combine(Root, "tests", name, $"{name}.csproj");

    /// <summary>The program that a build leaves: the artifacts layout writes a configuration's name in lower case.</summary>
    public string Program(string project, string assembly, string configuration) =>
        Path.Combine(Root, "artifacts", "bin", project, configuration.ToLowerInvariant(), assembly);

    /// <summary>The names of the test projects, by which they are run: their folders' names. Without <see cref="RigTests"/>.</summary>
    public IReadOnlyList<string> TestProjects() =>
        [.. Directory.EnumerateDirectories(Path.Combine(Root, "tests"), "*.Tests").Select(directory => Path.GetFileName(directory)!)
            .Where(name => name != RigTests && File.Exists(TestProject(name))).Order(StringComparer.Ordinal)];

    /// <summary>Whether a test project works on a real PostgreSQL, and so takes longer than one that does not.</summary>
    public bool UsesPostgres(string testProject) => File.ReadAllText(TestProject(testProject)).Contains("Testing.csproj", StringComparison.Ordinal);

    /// <summary>Whether a test project brings up hosts with real hypervisors: slower still, and only for root.</summary>
    public bool UsesRig(string testProject) => File.ReadAllText(TestProject(testProject)).Contains("ControlPlane.Lab.csproj", StringComparison.Ordinal);

    private static Repository? Around(string directory)
    {
        for (var at = new DirectoryInfo(directory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, Solution)))
                return new Repository(at.FullName);
        }

        return null;
    }
}

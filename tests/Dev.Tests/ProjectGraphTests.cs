using ControlPlane.Dev.Checking;

namespace ControlPlane.Dev.Tests;

/// <summary>Which tests a change is owed, on a small tree: Base is needed by Top, Top by its tests; Other stands alone.</summary>
public sealed class ProjectGraphTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("cp-test-graph-").FullName;

    public ProjectGraphTests()
    {
        Write("src/Base", "");
        Write("src/Top", "../Base/Base.csproj");
        Write("src/Other", "");
        Write("tests/Top.Tests", "../../src/Top/Top.csproj");
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void A_change_reaches_all_that_needs_it_and_nothing_else() =>
        Assert.Equal(["src/Base", "src/Top", "tests/Top.Tests"], Affected("src/Base/Thing.cs"));

    [Fact]
    public void A_change_at_the_top_stays_there() => Assert.Equal(["tests/Top.Tests"], Affected("tests/Top.Tests/A.cs"));

    [Fact]
    public void A_change_of_the_build_itself_reaches_everything() =>
        Assert.Equal(["src/Base", "src/Other", "src/Top", "tests/Top.Tests"], Affected("Directory.Packages.props"));

    [Fact]
    public void A_change_of_a_document_reaches_no_project() => Assert.Empty(Affected("README.md"));

    [Fact]
    public void A_change_of_files_that_a_project_takes_in_from_outside_reaches_it()
    {
        File.WriteAllText(
            Path.Combine(root, "tests/Top.Tests/Top.Tests.csproj"),
            "<Project><ItemGroup><None Include=\"../data/hosts/**\" /><EmbeddedResource Include=\"../../migrations/*.sql\" /></ItemGroup></Project>");

        Assert.Equal(["tests/Top.Tests"], Affected("tests/data/hosts/hv1/lspci.txt"));
        Assert.Equal(["tests/Top.Tests"], Affected("migrations/0001_initial.sql"));
        Assert.Empty(Affected("tests/data/other.txt"));
    }

    [Fact]
    public void Tests_are_near_that_hold_the_change_bear_its_name_or_reference_it()
    {
        Write("src/ControlPlane.Api", "../Top/Top.csproj");
        Write("tests/Api.Tests", "../../src/Other/Other.csproj");

        Assert.Equal(["Top.Tests"], Near("src/Top/Thing.cs"));
        Assert.Equal(["Api.Tests"], Near("src/ControlPlane.Api/Thing.cs"));
        Assert.Equal(["Api.Tests"], Near("src/Other/Thing.cs"));
        Assert.Equal(["Top.Tests"], Near("tests/Top.Tests/A.cs"));
        Assert.Empty(Near("src/Base/Thing.cs"));
    }

    private IEnumerable<string> Near(string file) => ProjectGraph.Read(root).NearTests([file]);

    private IEnumerable<string> Affected(string file) => ProjectGraph.Read(root).Affected([file]).Order(StringComparer.Ordinal);

    private void Write(string directory, string reference)
    {
        var path = Directory.CreateDirectory(Path.Combine(root, directory)).FullName;
        var references = reference.Length == 0 ? "" : $"<ProjectReference Include=\"{reference}\" />";
        File.WriteAllText(Path.Combine(path, $"{Path.GetFileName(directory)}.csproj"), $"<Project><ItemGroup>{references}</ItemGroup></Project>");
    }
}

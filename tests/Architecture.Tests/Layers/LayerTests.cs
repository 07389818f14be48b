using System.Xml.Linq;
using ControlPlane.Architecture.Tests.Tree;

namespace ControlPlane.Architecture.Tests.Layers;

/// <summary>The table against the project files and against what the compiler really wrote.</summary>
public sealed class LayerTests
{
    public static TheoryData<string> Projects => [.. LayerTable.Rows.Select(row => row.Project)];

    [Fact]
    public void Every_project_has_one_row_and_every_row_a_project() =>
        Assert.Equal(
            SourceTree.SourceProjects.Order(StringComparer.Ordinal),
            LayerTable.Rows.Select(row => row.FullName).Order(StringComparer.Ordinal));

    [Fact]
    public void The_table_lets_a_project_use_lower_layers_alone()
    {
        var levels = LayerTable.Rows.ToDictionary(row => row.Project, row => row.Level, StringComparer.Ordinal);

        Findings.AssertNone(from row in LayerTable.Rows from used in row.MayUse where levels[used] >= row.Level select $"{row.Project} -> {used}");
    }

    [Theory, MemberData(nameof(Projects))]
    public void Its_project_file_references_what_the_table_allows(string project)
    {
        var row = Row(project);
        var file = XDocument.Load(SourceTree.FullPath($"src/{row.FullName}/{row.FullName}.csproj"));

        var references = file.Descendants("ProjectReference").Select(reference => Path.GetFileNameWithoutExtension((string)reference.Attribute("Include")!));
        var packages = file.Descendants("PackageReference").Select(reference => (string)reference.Attribute("Include")!);

        Findings.AssertNone(references.Except(row.MayUse.Select(LayerTable.FullName), StringComparer.Ordinal));
        Findings.AssertNone(packages.Except(row.Packages, StringComparer.Ordinal));
    }

    /// <summary>A reference of a reference is usable too; the compiler writes down what was really used.</summary>
    [Theory, MemberData(nameof(Projects))]
    public void Its_code_uses_what_the_table_allows(string project)
    {
        using var assembly = CompiledAssembly.Open(LayerTable.FullName(project));

        Findings.AssertNone(assembly.ReferencedAssemblies.Intersect(LayerTable.Rows.Select(row => row.FullName), StringComparer.Ordinal)
            .Except(Row(project).MayUse.Select(LayerTable.FullName), StringComparer.Ordinal));
    }

    [Theory, MemberData(nameof(Projects))]
    public void Its_namespaces_form_no_circle(string project)
    {
        using var assembly = CompiledAssembly.Open(LayerTable.FullName(project));

        Exceptions.AssertMatches($"namespaces-in-a-circle:{project}", NamespaceGraph.Of(assembly).Circles()
            .Select(circle => KeyValuePair.Create(string.Join('+', circle.Order(StringComparer.Ordinal)), circle.Count)));
    }

    private static Layer Row(string project) => LayerTable.Rows.Single(row => row.Project == project);
}

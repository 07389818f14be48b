using System.Text.RegularExpressions;
using System.Xml.Linq;
using ControlPlane.Architecture.Tests.Tree;

namespace ControlPlane.Architecture.Tests.Writing;

/// <summary>What holds for the checkout as a whole.</summary>
public sealed partial class RepositoryTests
{
    private static readonly HashSet<string> Texts = new(StringComparer.Ordinal)
        { ".cs", ".md", ".json", ".yaml", ".yml", ".sql", ".csproj", ".props", ".targets", ".sh", ".txt", ".sln", "" };

    [Fact]
    public void Nothing_names_a_directory_of_one_machine()
    {
        var named = from file in SourceTree.Files
                    where Texts.Contains(Path.GetExtension(file)) && !SourceTree.IsCapture(file)
                    from line in File.ReadLines(SourceTree.FullPath(file))
                    where MachinePath().IsMatch(line)
                    select $"{file}: {line.Trim()}";

        Findings.AssertNone(named);
    }

    [Fact]
    public void Packages_come_from_the_public_registry_alone() =>
        Assert.DoesNotContain(SourceTree.Files, file => Path.GetFileName(file).Equals("nuget.config", StringComparison.OrdinalIgnoreCase));

    [Fact]
    public void Nothing_is_left_for_later()
    {
        // In two pieces, or this file would be the first finding.
        string[] marks = ["TO" + "DO", "FIX" + "ME", "HA" + "CK:", "NotImplemented" + "Exception"];
        var left = from file in SourceTree.CSharp
                   from line in File.ReadLines(SourceTree.FullPath(file))
                   where marks.Any(mark => line.Contains(mark, StringComparison.Ordinal))
                   select $"{file}: {line.Trim()}";

        Findings.AssertNone(left);
    }

    [Fact]
    public void Every_package_has_its_version_in_one_place_and_is_used()
    {
        var central = XDocument.Load(SourceTree.FullPath("Directory.Packages.props")).Descendants("PackageVersion")
            .Select(package => (string)package.Attribute("Include")!).ToList();
        var references = SourceTree.Files.Where(file => file.EndsWith(".csproj", StringComparison.Ordinal) || Path.GetFileName(file).StartsWith("Directory.Build.", StringComparison.Ordinal))
            .SelectMany(file => XDocument.Load(SourceTree.FullPath(file)).Descendants("PackageReference").Select(reference => (file, reference))).ToList();

        Assert.Equal(central.Count, central.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.Empty(references.Where(found => found.reference.Attribute("Version") is not null || found.reference.Attribute("VersionOverride") is not null).ToList());
        Findings.AssertNone(references.Select(found => (string)found.reference.Attribute("Include")!).Except(central, StringComparer.OrdinalIgnoreCase));
        Findings.AssertNone(central.Except(references.Select(found => (string)found.reference.Attribute("Include")!), StringComparer.OrdinalIgnoreCase));
    }

    [Fact]
    public void Every_project_is_part_of_the_solution()
    {
        var solution = SourceTree.Read("ControlPlane.sln").Replace('\\', '/');

        Findings.AssertNone(SourceTree.Projects.Where(project => !solution.Contains($"\"{project}\"", StringComparison.Ordinal)));
    }

    [Fact]
    public void Migrations_are_numbered_from_one_without_gaps()
    {
        var names = SourceTree.Files.Where(file => file.StartsWith("migrations/", StringComparison.Ordinal)).Select(file => Path.GetFileName(file)).ToList();

        Findings.AssertNone(names.Where(name => !MigrationName().IsMatch(name)));
        Assert.Equal(Enumerable.Range(1, names.Count).Select(number => $"{number:0000}"), names.Select(name => name[..4]));
    }

    [Fact]
    public void A_build_server_runs_the_test_command_of_the_readme()
    {
        const string Command = "dotnet run --project src/ControlPlane.Dev -- test";

        Assert.Contains(Command, SourceTree.Read("README.md"), StringComparison.Ordinal);
        Assert.Contains(Command, SourceTree.Read(".ci/run"), StringComparison.Ordinal);
    }

    /// <summary>Homes and work directories, at the beginning of a path.</summary>
    [GeneratedRegex(@"(?<![\w.:/~-])/(home|work|Users|mnt|srv|opt)/\w")]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"^\d{4}_[a-z0-9]+(_[a-z0-9]+)*\.sql$")]
    private static partial Regex MigrationName();
}

using ControlPlane.Architecture.Tests.Tree;

namespace ControlPlane.Architecture.Tests.Layers;

/// <summary>
/// Time, ids and randomness are injected, so that the whole control plane can run inside a simulation. The analyzer forbids the others
/// while it is on; these tests see to it that it is, and look at what was compiled.
/// </summary>
public sealed class InjectionTests
{
    /// <summary>They run outside of any simulation.</summary>
    private static readonly string[] Outside = ["Server", "Dev"];

    private static readonly HashSet<string> Forbidden = new(StringComparer.Ordinal)
    {
        "System.DateTime.get_Now", "System.DateTime.get_UtcNow", "System.DateTimeOffset.get_Now", "System.DateTimeOffset.get_UtcNow",
        "System.Guid.NewGuid", "System.Guid.CreateVersion7", "System.Threading.Thread.Sleep", "System.Random.get_Shared",
        "System.Diagnostics.Stopwatch.StartNew", "System.Diagnostics.Stopwatch.GetTimestamp", "System.Environment.get_TickCount64",
        "System.Environment.get_TickCount",
    };

    public static TheoryData<string> Inside => [.. LayerTable.Rows.Select(row => row.Project).Except(Outside)];

    [Theory, MemberData(nameof(Inside))]
    public void Its_code_asks_no_clock_or_dice_of_the_machine(string project)
    {
        using var assembly = CompiledAssembly.Open(LayerTable.FullName(project));

        Findings.AssertNone(assembly.ReferencedMembers.Intersect(Forbidden));
    }

    [Fact]
    public void Only_the_server_and_the_developers_tool_may_switch_the_analyzer_off()
    {
        var switchedOff = from file in SourceTree.Files
                          where file.StartsWith("src/", StringComparison.Ordinal)
                          where !Outside.Any(project => file.StartsWith($"src/{LayerTable.Prefix}{project}/", StringComparison.Ordinal))
                          where SourceTree.Read(file).Contains("RS0030", StringComparison.Ordinal)
                          select file;

        Findings.AssertNone(switchedOff);
        Assert.Contains("Microsoft.CodeAnalysis.BannedApiAnalyzers", SourceTree.Read("Directory.Build.props"), StringComparison.Ordinal);
        Assert.Contains("BannedSymbols.txt", SourceTree.Read("Directory.Build.props"), StringComparison.Ordinal);
    }
}

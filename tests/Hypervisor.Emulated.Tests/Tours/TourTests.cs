using System.Runtime.CompilerServices;
using ControlPlane.Hypervisor.Emulated.Tours;

namespace ControlPlane.Hypervisor.Emulated.Tests.Tours;

/// <summary>What the documentation shows of a tour is what the tour prints, on every machine.</summary>
public sealed class TourTests
{
    public static TheoryData<string> Names => [.. TourCatalog.All.Select(t => t.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_tour_prints_what_the_documentation_shows(string name)
    {
        var printed = Printed(name);

        Assert.Contains(Pages(), page => page.Contains($"tour {name}\n", StringComparison.Ordinal) && page.Contains(printed, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_tour_prints_the_same_each_time(string name) => Assert.Equal(Printed(name), Printed(name));

    [Fact]
    public void The_index_leads_to_each_page()
    {
        var index = File.ReadAllText(Path.Combine(Documents(), "emulator.md"));
        Assert.All(
            Directory.EnumerateFiles(Path.Combine(Documents(), "emulator"), "*.md"),
            page => Assert.Contains($"(emulator/{Path.GetFileName(page)})", index, StringComparison.Ordinal));
    }

    private static string Printed(string name)
    {
        var output = new StringWriter { NewLine = "\n" };
        TourCatalog.Find(name)!.Run(output);
        return output.ToString().TrimEnd();
    }

    private static IEnumerable<string> Pages() => Directory.EnumerateFiles(Path.Combine(Documents(), "emulator"), "*.md").Select(File.ReadAllText);

    private static string Documents([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../docs"));
}

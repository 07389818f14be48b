using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Guests;

namespace ControlPlane.Hypervisor.Emulated.Tests.Faults;

/// <summary>The README's tables and the labels in the code are the same lists.</summary>
public sealed partial class LabelDocumentationTests
{
    [Theory]
    [InlineData("## Labels of a VM", typeof(GuestLabels))]
    [InlineData("## Labels of a host", typeof(HostLabels))]
    public void Each_label_is_documented_and_each_documented_label_exists(string heading, Type labels)
    {
        var readme = File.ReadAllText(Path.Combine(Folder(), "README.md"));
        var section = readme[readme.IndexOf(heading, StringComparison.Ordinal)..].Split("\n## ")[0] + "\n";

        var documented = Row().Matches(section).Select(m => m.Groups[1].Value).Order();

        Assert.Equal(Constants(labels).Order(), documented);
    }

    [Fact]
    public void Each_folder_is_documented_in_the_order_in_which_they_may_use_each_other()
    {
        var readme = File.ReadAllText(Path.Combine(Folder(), "README.md"));
        var documented = FolderRow().Matches(readme).Select(m => m.Groups[1].Value).ToArray();
        var folders = Directory.EnumerateDirectories(Folder()).Select(d => Path.GetFileName(d)).Where(d => d is not ("bin" or "obj"));
        Assert.Equal(folders.Order(), documented.Order());

        foreach (var file in Directory.EnumerateFiles(Folder(), "*.cs", SearchOption.AllDirectories).Where(f => Path.GetDirectoryName(f) != Folder()))
        {
            var own = Array.IndexOf(documented, Path.GetFileName(Path.GetDirectoryName(file)));
            var used = Using().Matches(File.ReadAllText(file)).Select(m => Array.IndexOf(documented, m.Groups[1].Value));
            Assert.All(used, other => Assert.True(other >= 0 && other < own, $"{file} uses {documented[other]}"));
        }
    }

    private static IEnumerable<string> Constants(Type type) =>
        type.GetFields(BindingFlags.Public | BindingFlags.Static).Where(f => f.IsLiteral).Select(f => (string)f.GetRawConstantValue()!);

    private static string Folder([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../src/ControlPlane.Hypervisor.Emulated"));

    [GeneratedRegex(@"^\| `(emulator\.[a-z-]+)` \|", RegexOptions.Multiline | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Row();

    [GeneratedRegex(@"^\| ([A-Z][a-z]+)/ \|", RegexOptions.Multiline | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex FolderRow();

    [GeneratedRegex(@"^using ControlPlane\.Hypervisor\.Emulated\.([A-Za-z]+);", RegexOptions.Multiline | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Using();
}

using ControlPlane.Architecture.Tests.Tree;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ControlPlane.Architecture.Tests.Writing;

public sealed class NamingTests
{
    /// <summary>Words that say only that something is there; CONTRIBUTING.md names the ones to use.</summary>
    private static readonly string[] EmptyWords =
        ["Manager", "Helper", "Helpers", "Util", "Utils", "Utilities", "Common", "Base", "Impl", "Service", "Services", "Info"];

    [Fact]
    public void No_type_is_called_a_manager_or_a_helper()
    {
        var named = new[] { "src", "tests" }.SelectMany(Syntax.Nodes<BaseTypeDeclarationSyntax>)
            .Where(found => EmptyWords.Any(word => found.Node.Identifier.Text.EndsWith(word, StringComparison.Ordinal)))
            .Select(found => $"{found.File}: {found.Node.Identifier.Text}");

        Findings.AssertNone(named);
    }

    /// <summary>
    /// One namespace for all shapes of the API, as their schema names share one space too, and one for all of libvirt, as its C names
    /// share one; their folders are for people.
    /// </summary>
    private static readonly string[] OneNamespace = ["ControlPlane.Contracts", "LibvirtSharp"];

    [Fact]
    public void Namespaces_are_file_scoped_and_follow_the_folders()
    {
        var strays = from file in Syntax.Files
                     where file.Key.StartsWith("src/", StringComparison.Ordinal)
                     from space in file.Value.DescendantNodes().OfType<FileScopedNamespaceDeclarationSyntax>()
                     let expected = Path.GetDirectoryName(file.Key)!["src/".Length..].Replace('/', '.')
                     where space.Name.ToString() != (OneNamespace.FirstOrDefault(one => expected.StartsWith(one, StringComparison.Ordinal)) ?? expected)
                     select $"{file.Key}: {space.Name}, not {expected}";

        Findings.AssertNone(strays);
    }
}

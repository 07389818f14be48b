using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ControlPlane.Architecture.Tests.Tree;

/// <summary>All C# of the checkout, parsed once.</summary>
internal static class Syntax
{
    private static readonly Lazy<IReadOnlyDictionary<string, CompilationUnitSyntax>> Parsed = new(() => SourceTree.CSharp.AsParallel()
        .ToDictionary(file => file, file => CSharpSyntaxTree.ParseText(SourceTree.Read(file)).GetCompilationUnitRoot(), StringComparer.Ordinal));

    public static IReadOnlyDictionary<string, CompilationUnitSyntax> Files => Parsed.Value;

    /// <summary>The nodes of a kind in all files below a folder (src, tests), each with its file.</summary>
    public static IEnumerable<(string File, TNode Node)> Nodes<TNode>(string folder) where TNode : SyntaxNode =>
        from file in Files
        where file.Key.StartsWith($"{folder}/", StringComparison.Ordinal)
        from node in file.Value.DescendantNodes().OfType<TNode>()
        select (file.Key, node);

    /// <summary>Lines from the first to the last token, without the comment above.</summary>
    public static int Lines(SyntaxNode node)
    {
        var span = node.SyntaxTree.GetLineSpan(node.Span);
        return span.EndLinePosition.Line - span.StartLinePosition.Line + 1;
    }

    public static int Line(SyntaxNode node) => node.SyntaxTree.GetLineSpan(node.Span).StartLinePosition.Line + 1;

    /// <summary>The type's name with the types around it: two of one name in different places are different ones.</summary>
    public static string FullName(BaseTypeDeclarationSyntax type) =>
        string.Join('.', type.Ancestors().OfType<BaseNamespaceDeclarationSyntax>().Select(space => space.Name.ToString())
            .Concat(type.AncestorsAndSelf().OfType<BaseTypeDeclarationSyntax>().Reverse().Select(outer => outer.Identifier.Text)));

    public static bool IsPublic(MemberDeclarationSyntax member) =>
        member.Modifiers.Any(SyntaxKind.PublicKeyword) && member.Ancestors().OfType<BaseTypeDeclarationSyntax>().All(outer => outer.Modifiers.Any(SyntaxKind.PublicKeyword));
}

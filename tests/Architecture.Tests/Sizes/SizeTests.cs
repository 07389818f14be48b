using ControlPlane.Architecture.Tests.Tree;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ControlPlane.Architecture.Tests.Sizes;

/// <summary>What does not fit on a few screens is more than one thing.</summary>
public sealed class SizeTests
{
    private const int FileLinesMax = 300;
    private const int FunctionLinesMax = 70;
    private const int PublicMethodsMax = 20;

    [Fact]
    public void Files_are_at_most_300_lines() =>
        Exceptions.AssertMatches("file-lines", SourceTree.CSharp
            .Select(file => KeyValuePair.Create(file, File.ReadLines(SourceTree.FullPath(file)).Count()))
            .Where(file => file.Value > FileLinesMax));

    [Fact]
    public void Functions_are_at_most_70_lines()
    {
        var functions = new[] { "src", "tests" }.SelectMany(Syntax.Nodes<SyntaxNode>)
            .Where(found => found.Node is BaseMethodDeclarationSyntax or LocalFunctionStatementSyntax or AccessorDeclarationSyntax)
            .Select(found => (Name: $"{found.File}:{NameOf(found.Node)}", Lines: Syntax.Lines(found.Node)))
            .Where(function => function.Lines > FunctionLinesMax);

        Exceptions.AssertMatches("function-lines", functions.GroupBy(function => function.Name, StringComparer.Ordinal)
            .Select(overloads => KeyValuePair.Create(overloads.Key, overloads.Max(function => function.Lines))));
    }

    [Fact]
    public void Types_have_at_most_20_public_methods_over_all_their_files()
    {
        var methods = from found in Syntax.Nodes<TypeDeclarationSyntax>("src")
                      from method in found.Node.Members.OfType<MethodDeclarationSyntax>()
                      where method.Modifiers.Any(SyntaxKind.PublicKeyword) || found.Node is InterfaceDeclarationSyntax
                      where !method.Modifiers.Any(SyntaxKind.OverrideKeyword)
                      group method by Syntax.FullName(found.Node);

        Exceptions.AssertMatches("public-methods", methods.Where(type => type.Count() > PublicMethodsMax)
            .Select(type => KeyValuePair.Create(type.Key, type.Count())));
    }

    private static string NameOf(SyntaxNode function) => function switch
    {
        MethodDeclarationSyntax method => method.Identifier.Text,
        ConstructorDeclarationSyntax constructor => constructor.Identifier.Text,
        LocalFunctionStatementSyntax local => local.Identifier.Text,
        AccessorDeclarationSyntax accessor => accessor.Keyword.Text,
        _ => function.Kind().ToString(),
    };
}

using System.Text.RegularExpressions;
using ControlPlane.Architecture.Tests.Tree;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ControlPlane.Architecture.Tests.Writing;

public sealed partial class DocumentationTests
{
    /// <summary>Per project, because a type whose name says it all (an id, an enumeration of two) is better left bare than repeated.</summary>
    [Fact]
    public void Public_types_say_why_they_are_there()
    {
        var bare = Syntax.Nodes<MemberDeclarationSyntax>("src")
            .Where(found => found.Node is BaseTypeDeclarationSyntax or DelegateDeclarationSyntax && Syntax.IsPublic(found.Node) && !IsDocumented(found.Node))
            .GroupBy(found => found.File.Split('/')[1], StringComparer.Ordinal);

        Exceptions.AssertMatches("undocumented-public-types", bare.Select(project => KeyValuePair.Create(project.Key, project.Count())));
    }

    [Fact]
    public void Links_between_documents_lead_somewhere()
    {
        var broken = from file in SourceTree.Files
                     where file.EndsWith(".md", StringComparison.Ordinal) && !SourceTree.IsCapture(file)
                     from Match link in Link().Matches(SourceTree.Read(file))
                     let target = link.Groups[1].Value
                     where !target.Contains("://", StringComparison.Ordinal) && !LeadsSomewhere(file, target)
                     select $"{file}: {target}";

        Findings.AssertNone(broken);
    }

    [Fact]
    public void Paths_that_documents_name_are_there()
    {
        var missing = from file in SourceTree.Files
                      where file is "README.md" or "ARCHITECTURE.md" or "CONTRIBUTING.md"
                      from Match path in NamedPath().Matches(SourceTree.Read(file))
                      where !Path.Exists(SourceTree.FullPath(path.Groups[1].Value))
                      select $"{file}: {path.Groups[1].Value}";

        Findings.AssertNone(missing);
    }

    private static bool IsDocumented(SyntaxNode node) => node.GetLeadingTrivia().Any(trivia => trivia.IsKind(SyntaxKind.SingleLineDocumentationCommentTrivia));

    private static bool LeadsSomewhere(string file, string target)
    {
        var (path, anchor) = target.Split('#', 2) is [var before, var after] ? (before, after) : (target, null);
        var full = path.Length == 0 ? SourceTree.FullPath(file) : Path.Combine(Path.GetDirectoryName(SourceTree.FullPath(file))!, path);
        if (!Path.Exists(full))
            return false;
        return anchor is null || File.ReadLines(full).Where(line => line.StartsWith('#')).Any(heading => AnchorOf(heading) == anchor);
    }

    /// <summary>As code hosts make them: lower case, spaces to '-', all else but letters, digits, '-' and '_' dropped.</summary>
    private static string AnchorOf(string heading) =>
        string.Concat(heading.TrimStart('#').Trim().ToLowerInvariant().Replace(' ', '-').Where(c => char.IsLetterOrDigit(c) || c is '-' or '_'));

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    /// <summary>`src/…` or `tests/…` in backquotes, without a placeholder.</summary>
    [GeneratedRegex(@"`((?:src|tests|migrations|openapi)/[A-Za-z0-9_./-]+)`")]
    private static partial Regex NamedPath();
}

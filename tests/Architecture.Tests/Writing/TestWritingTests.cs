using ControlPlane.Architecture.Tests.Tree;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ControlPlane.Architecture.Tests.Writing;

/// <summary>A test that cannot fail, or that sleeps, or that is skipped, shows nothing.</summary>
public sealed class TestWritingTests
{
    [Fact]
    public void Every_test_asserts_something()
    {
        var methods = Syntax.Nodes<MethodDeclarationSyntax>("tests").ToList();

        // By name over all test code: a test may leave its assertions to a function of its base class or of the shared test library.
        var asserting = new HashSet<string>(StringComparer.Ordinal);
        var before = -1;
        while (before != asserting.Count)
        {
            before = asserting.Count;
            asserting.UnionWith(methods.Where(found => Asserts(found.Node, asserting)).Select(found => found.Node.Identifier.Text));
        }

        var silent = methods.Where(found => IsTest(found.Node) && !Asserts(found.Node, asserting))
            .Select(found => $"{found.File}: {found.Node.Identifier.Text}");
        Findings.AssertNone(silent);
    }

    [Fact]
    public void No_test_is_skipped()
    {
        var skipped = Syntax.Nodes<AttributeArgumentSyntax>("tests")
            .Where(found => found.Node.NameEquals?.Name.Identifier.Text is "Skip" or "Explicit" && found.Node.FirstAncestorOrSelf<MethodDeclarationSyntax>() is not null)
            .Select(found => $"{found.File}:{Syntax.Line(found.Node)}");

        Findings.AssertNone(skipped);
    }

    [Fact]
    public void No_test_sleeps()
    {
        var sleeping = Syntax.Nodes<InvocationExpressionSyntax>("tests")
            .Where(found => found.Node.Expression.ToString() is "Thread.Sleep" or "Task.Delay" && !TakesTimeProvider(found.Node))
            .Select(found => $"{found.File}:{Syntax.Line(found.Node)}: {found.Node}");

        Findings.AssertNone(sleeping);
    }

    private static bool TakesTimeProvider(InvocationExpressionSyntax call) =>
        call.ArgumentList.Arguments is [_, var second, ..] && second.ToString().Contains("time", StringComparison.OrdinalIgnoreCase);

    private static bool IsTest(MethodDeclarationSyntax method) =>
        method.AttributeLists.SelectMany(list => list.Attributes).Any(attribute => attribute.Name.ToString() is "Fact" or "Theory");

    private static bool Asserts(MethodDeclarationSyntax method, HashSet<string> asserting) =>
        method.DescendantNodes().OfType<InvocationExpressionSyntax>().Any(call => call.Expression switch
        {
            MemberAccessExpressionSyntax { Expression: IdentifierNameSyntax { Identifier.Text: "Assert" } } => true,
            MemberAccessExpressionSyntax member => asserting.Contains(member.Name.Identifier.Text),
            SimpleNameSyntax name => asserting.Contains(name.Identifier.Text),
            _ => false,
        })
        // FsCheck, told to throw.
        || method.DescendantNodes().OfType<IdentifierNameSyntax>().Any(name => name.Identifier.Text.EndsWith("ThrowOnFailure", StringComparison.Ordinal))
        // An assertion handed over as a function: Parallel.ForEach(items, Assert.NotNull).
        || method.DescendantNodes().OfType<MemberAccessExpressionSyntax>().Any(access => access.Expression is IdentifierNameSyntax { Identifier.Text: "Assert" });
}

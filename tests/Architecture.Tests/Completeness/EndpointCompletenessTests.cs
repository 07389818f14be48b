using ControlPlane.Architecture.Tests.Tree;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ControlPlane.Architecture.Tests.Completeness;

/// <summary>Each endpoint, found where it is mapped, says who may call it, and its rule is tested through the running pipeline.</summary>
public sealed class EndpointCompletenessTests
{
    private const string Api = "src/ControlPlane.Api";

    private static readonly HashSet<string> Verbs = new(StringComparer.Ordinal) { "MapGet", "MapPost", "MapPut", "MapPatch", "MapDelete" };

    [Fact]
    public void There_are_endpoints() => Assert.NotEmpty(Mapped());

    [Fact]
    public void Every_endpoint_names_the_role_it_needs()
    {
        var silent = Mapped().Where(endpoint => !endpoint.Chain.DescendantNodes().Any(IsRole))
            .Select(endpoint => $"{endpoint.File}:{Syntax.Line(endpoint.Chain)}");

        Findings.AssertNone(silent);
    }

    [Fact]
    public void No_endpoint_is_without_an_authorization_test()
    {
        var tested = Syntax.Nodes<LiteralExpressionSyntax>("tests/Api.Tests")
            .Where(found => Path.GetFileName(found.File).Contains("Authorization", StringComparison.Ordinal))
            .Select(found => found.Node.Token.ValueText);
        var operations = Mapped().Select(endpoint => OperationId(endpoint.Chain)).OfType<string>();

        Findings.AssertNone(operations.Except(tested, StringComparer.Ordinal));
    }

    /// <summary>The whole statement of each Map call: the endpoint with all that is said of it.</summary>
    private static IEnumerable<(string File, ExpressionStatementSyntax Chain)> Mapped() =>
        from found in Syntax.Nodes<InvocationExpressionSyntax>(Api)
        where found.Node.Expression is MemberAccessExpressionSyntax access && Verbs.Contains(access.Name.Identifier.Text)
        let statement = found.Node.FirstAncestorOrSelf<ExpressionStatementSyntax>()
        where statement is not null
        select (found.File, statement);

    /// <summary>The first argument of the call that also takes the role.</summary>
    private static string? OperationId(ExpressionStatementSyntax chain) =>
        chain.DescendantNodes().OfType<InvocationExpressionSyntax>()
            .Where(call => call.ArgumentList.Arguments.Any(argument => IsRole(argument.Expression)))
            .Select(call => (call.ArgumentList.Arguments[0].Expression as LiteralExpressionSyntax)?.Token.ValueText)
            .FirstOrDefault();

    private static bool IsRole(SyntaxNode node) => node is MemberAccessExpressionSyntax { Expression: IdentifierNameSyntax { Identifier.Text: "Role" } };
}

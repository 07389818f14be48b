using ControlPlane.Architecture.Tests.Tree;
using Microsoft.CodeAnalysis.CSharp;
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
        var silent = Mapped().Where(endpoint => !endpoint.Chain.DescendantNodes().OfType<MemberAccessExpressionSyntax>()
                .Any(access => access.Expression is IdentifierNameSyntax { Identifier.Text: "Role" }))
            .Select(endpoint => $"{endpoint.File}:{Syntax.Line(endpoint.Chain)}");

        Assert.Empty(silent);
    }

    [Fact]
    public void No_endpoint_is_without_an_authorization_test()
    {
        var tested = Syntax.Nodes<LiteralExpressionSyntax>("tests/Api.Tests")
            .Where(found => Path.GetFileName(found.File).Contains("Authorization", StringComparison.Ordinal))
            .Select(found => found.Node.Token.ValueText);
        var operations = Mapped().Select(endpoint => OperationId(endpoint.Chain)).OfType<string>();

        Assert.Empty(operations.Except(tested, StringComparer.Ordinal));
    }

    /// <summary>The whole statement of each Map call: the endpoint with all that is said of it.</summary>
    private static IEnumerable<(string File, ExpressionStatementSyntax Chain)> Mapped() =>
        from found in Syntax.Nodes<InvocationExpressionSyntax>(Api)
        where found.Node.Expression is MemberAccessExpressionSyntax access && Verbs.Contains(access.Name.Identifier.Text)
        let statement = found.Node.FirstAncestorOrSelf<ExpressionStatementSyntax>()
        where statement is not null
        select (found.File, statement);

    /// <summary>The one literal in PascalCase: the path begins with '/', the summary has spaces.</summary>
    private static string? OperationId(ExpressionStatementSyntax chain) =>
        chain.DescendantNodes().OfType<LiteralExpressionSyntax>().Where(literal => literal.IsKind(SyntaxKind.StringLiteralExpression))
            .Select(literal => literal.Token.ValueText)
            .FirstOrDefault(text => text.Length > 3 && char.IsUpper(text[0]) && text.All(char.IsLetterOrDigit));
}

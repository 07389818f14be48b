using System.Text.RegularExpressions;
using ControlPlane.Architecture.Tests.Tree;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ControlPlane.Architecture.Tests.Completeness;

/// <summary>A saga that nobody registered never runs; one whose laws nobody asks for breaks in the first crash.</summary>
public sealed partial class SagaCompletenessTests
{
    private const string Orchestration = "src/ControlPlane.Orchestration";

    public static TheoryData<string> Sagas => [.. SagaClasses()];

    [Fact]
    public void There_are_sagas() => Assert.NotEmpty(SagaClasses());

    [Theory, MemberData(nameof(Sagas))]
    public void It_is_registered(string saga)
    {
        var registered = Syntax.Nodes<GenericNameSyntax>(Orchestration)
            .Where(found => found.Node.Identifier.Text == "AddSingleton")
            .SelectMany(found => found.Node.TypeArgumentList.Arguments.Select(argument => argument.ToString()));

        Assert.Contains(saga, registered);
    }

    /// <summary>Somewhere a class derives SagaLaws with a subject inside that speaks of this saga's kind.</summary>
    [Theory, MemberData(nameof(Sagas))]
    public void Its_laws_are_tested(string saga)
    {
        var kinds = Syntax.Nodes<ClassDeclarationSyntax>(Orchestration).Where(found => found.Node.Identifier.Text == saga).SelectMany(found => Kinds(found.Node));
        var lawful = Syntax.Nodes<ClassDeclarationSyntax>("tests")
            .Where(found => found.Node.BaseList?.Types.Any(parent => parent.Type is GenericNameSyntax { Identifier.Text: "SagaLaws" }) == true)
            .SelectMany(found => Kinds(found.Node));

        Assert.NotEmpty(kinds.Intersect(lawful));
    }

    /// <summary>Literals of a saga's kind: a noun, a dot and a verb.</summary>
    private static IEnumerable<string> Kinds(ClassDeclarationSyntax type) =>
        type.DescendantNodes().OfType<LiteralExpressionSyntax>().Select(literal => literal.Token.ValueText).Where(text => Kind().IsMatch(text));

    private static IEnumerable<string> SagaClasses() =>
        from found in Syntax.Nodes<ClassDeclarationSyntax>(Orchestration)
        where !found.Node.Modifiers.Any(SyntaxKind.AbstractKeyword) && found.Node.BaseList is not null
        where found.Node.BaseList!.Types.Any(parent => parent.Type is GenericNameSyntax { Identifier.Text: "Saga" or "OperationSaga" })
            || found.Node.Identifier.Text.EndsWith("Saga", StringComparison.Ordinal)
        orderby found.Node.Identifier.Text
        select found.Node.Identifier.Text;

    [GeneratedRegex("^[a-z][a-z-]*\\.[a-z-]+$")]
    private static partial Regex Kind();
}

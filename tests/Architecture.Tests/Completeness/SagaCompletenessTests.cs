using ControlPlane.Architecture.Tests.Tree;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ControlPlane.Architecture.Tests.Completeness;

/// <summary>A saga that nobody registered never runs; one whose laws nobody asks for breaks in the first crash.</summary>
public sealed class SagaCompletenessTests
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

    /// <summary>Somewhere a class derives SagaLaws with a subject that speaks of this saga.</summary>
    [Theory, MemberData(nameof(Sagas))]
    public void Its_laws_are_tested(string saga)
    {
        var subjects = (from found in Syntax.Nodes<BaseTypeSyntax>("tests")
                        where found.Node.Type is GenericNameSyntax { Identifier.Text: "SagaLaws" }
                        from argument in ((GenericNameSyntax)found.Node.Type).TypeArgumentList.Arguments
                        select argument.ToString()).ToHashSet(StringComparer.Ordinal);
        var named = from found in Syntax.Nodes<ClassDeclarationSyntax>("tests")
                    where subjects.Contains(found.Node.Identifier.Text)
                    from name in found.Node.DescendantNodes().OfType<IdentifierNameSyntax>()
                    select name.Identifier.Text;

        Assert.Contains(saga, named.Distinct());
    }

    private static IEnumerable<string> SagaClasses() =>
        from found in Syntax.Nodes<ClassDeclarationSyntax>(Orchestration)
        where !found.Node.Modifiers.Any(SyntaxKind.AbstractKeyword) && found.Node.BaseList is not null
        where found.Node.BaseList!.Types.Any(parent => parent.Type is GenericNameSyntax { Identifier.Text: "Saga" or "OperationSaga" })
            || found.Node.Identifier.Text.EndsWith("Saga", StringComparison.Ordinal)
        orderby found.Node.Identifier.Text
        select found.Node.Identifier.Text;
}

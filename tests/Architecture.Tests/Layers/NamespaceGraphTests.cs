namespace ControlPlane.Architecture.Tests.Layers;

/// <summary>The search for circles, on graphs whose answer is plain to see.</summary>
public sealed class NamespaceGraphTests
{
    [Fact]
    public void A_chain_has_no_circle() => Assert.Empty(new NamespaceGraph([("A", "B"), ("B", "C"), ("A", "C")]).Circles());

    [Fact]
    public void Two_that_use_each_other_are_one() =>
        Assert.Equal(["A", "B"], Assert.Single(new NamespaceGraph([("A", "B"), ("B", "A"), ("B", "C")]).Circles()).Order(StringComparer.Ordinal));

    [Fact]
    public void Two_circles_that_do_not_lead_back_to_each_other_are_two() =>
        Assert.Equal(2, new NamespaceGraph([("A", "B"), ("B", "A"), ("B", "C"), ("C", "D"), ("D", "C")]).Circles().Count());

    [Fact]
    public void A_namespace_may_use_itself() => Assert.Empty(new NamespaceGraph([("A", "A")]).Circles());

    /// <summary>The reader sees what the compiler wrote: this very assembly's layers use its tree, in signatures and in code alike.</summary>
    [Fact]
    public void It_reads_uses_out_of_compiled_code()
    {
        using var assembly = CompiledAssembly.Open(typeof(NamespaceGraphTests).Assembly.GetName().Name!);
        var metadata = assembly.Metadata;
        var tests = metadata.TypeDefinitions.Single(handle => metadata.GetString(metadata.GetTypeDefinition(handle).Name) == nameof(LayerTests));

        var names = ReferencedTypes.UsedBy(assembly, tests).Select(handle => metadata.GetString(metadata.GetTypeDefinition(handle).Name));

        Assert.Superset(new HashSet<string> { nameof(LayerTable), nameof(CompiledAssembly), nameof(NamespaceGraph), "SourceTree", "Exceptions" }, names.ToHashSet());
    }
}

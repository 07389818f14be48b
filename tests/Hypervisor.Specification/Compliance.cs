using Xunit;

namespace ControlPlane.Hypervisor.Specification;

/// <summary>Fails when a backend's test assembly leaves out a specification. What a backend cannot do is an explicit list.</summary>
public abstract class Compliance
{
    /// <summary>Specifications that the backend cannot be asked to meet, each with a reason beside it.</summary>
    protected virtual IReadOnlyCollection<Type> Exempt => [];

    /// <summary>Tests that the backend cannot pass.</summary>
    protected virtual IReadOnlyCollection<BackendException> Exceptions => [];

    [Fact]
    public void Every_exception_is_of_a_test_that_there_is_and_has_a_reason() => Assert.All(Exceptions, exception =>
    {
        Assert.NotNull(exception.Specification.GetMethod(exception.Test));
        Assert.NotEmpty(exception.Reason);
    });

    [Fact]
    public void Every_specification_is_derived()
    {
        var derived = GetType().Assembly.GetTypes().Where(t => !t.IsAbstract).ToArray();
        var missing = typeof(HypervisorSpecification).Assembly.GetTypes()
            .Where(t => t.IsSubclassOf(typeof(HypervisorSpecification)))
            .Where(specification => !derived.Any(t => t.IsSubclassOf(specification)))
            .Except(Exempt)
            .Select(t => t.Name);
        Assert.Empty(missing);
    }

    [Fact]
    public void Nothing_is_exempt_that_is_derived()
    {
        var derived = GetType().Assembly.GetTypes().Where(t => !t.IsAbstract).ToArray();
        Assert.DoesNotContain(Exempt, exempt => derived.Any(t => t.IsSubclassOf(exempt)));
    }
}

using ControlPlane.Dev.Checkout;

namespace ControlPlane.Dev.Tests;

public sealed class RepositoryTests
{
    [Fact]
    public void The_tests_on_nested_hosts_are_there_and_not_among_those_of_everybody()
    {
        var repository = Repository.Find();

        Assert.NotNull(repository);
        Assert.True(File.Exists(repository.TestProject(Repository.RigTests)));
        Assert.DoesNotContain(Repository.RigTests, repository.TestProjects());
        Assert.Contains("Dev.Tests", repository.TestProjects());
    }

    [Fact]
    public void The_rigs_entry_is_where_the_tool_looks_for_it() =>
        Assert.True(File.Exists(Path.Combine(Repository.Find()!.SriovRig, "rig.sh")));
}

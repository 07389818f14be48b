using ControlPlane.Dev.Authoring;

namespace ControlPlane.Dev.Tests;

public sealed class MigrationFileTests
{
    [Fact]
    public void The_first_is_number_one() => Assert.Equal("0001_initial.sql", MigrationFile.Next([], "initial"));

    [Fact]
    public void The_next_follows_the_highest_whatever_else_lies_there() =>
        Assert.Equal("0012_add_zone.sql", MigrationFile.Next(["migrations/0011_b.sql", "migrations/0002_a.sql", "migrations/README.md"], "add_zone"));

    [Theory]
    [InlineData("add_host_zone", true)]
    [InlineData("v2", true)]
    [InlineData("Add", false)]
    [InlineData("add host", false)]
    [InlineData("../evil", false)]
    [InlineData("_add", false)]
    [InlineData("add__zone", false)]
    [InlineData("", false)]
    public void A_name_is_words_joined_by_underscores(string name, bool isName) => Assert.Equal(isName, MigrationFile.IsName(name));
}

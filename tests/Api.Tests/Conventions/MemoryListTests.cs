using ControlPlane.Api.Tests.Infrastructure;

namespace ControlPlane.Api.Tests.Conventions;

/// <summary>Lists that no table stands behind have pages like all others.</summary>
public sealed class MemoryListTests(ApiServer server)
{
    [Theory]
    [InlineData("name")]
    [InlineData("-name")]
    public Task Profiles_come_in_pages(string sort) => AssertPagesAsync("/api/v1/profiles", "name", sort);

    [Theory]
    [InlineData("group")]
    [InlineData("-group")]
    public async Task IOMMU_groups_come_in_pages(string sort) => await AssertPagesAsync($"/api/v1/hosts/{await server.HostAsync()}/iommu-groups", "group", sort);

    [Fact]
    public async Task A_token_of_the_other_order_is_400()
    {
        var token = (await server.Admin.GetAsync("/api/v1/profiles?limit=1")).Expect(200).Text("nextPageToken");

        Assert.Equal("pageToken", Assert.Single((await server.Admin.GetAsync($"/api/v1/profiles?sort=-name&pageToken={token}")).Expect(400).BlamedFields));
    }

    private async Task AssertPagesAsync(string path, string field, string sort)
    {
        var all = (await server.Admin.GetAsync($"{path}?limit=1000&sort={field}")).Expect(200).Items.Select(i => i[field]!.ToJsonString()).ToList();
        Assert.True(all.Count > 2);
        var seen = new List<string>();
        for (string? token = null; ;)
        {
            var page = (await server.Admin.GetAsync($"{path}?limit=2&sort={sort}{(token is null ? "" : $"&pageToken={token}")}")).Expect(200);
            seen.AddRange(page.Items.Select(i => i[field]!.ToJsonString()));
            token = page.Json["nextPageToken"]?.GetValue<string>();
            if (token is null)
                break;
            Assert.Equal(2, page.Items.Count());
        }

        Assert.Equal(sort.StartsWith('-') ? Enumerable.Reverse(all) : all, seen);
    }
}

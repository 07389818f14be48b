using ControlPlane.Api.Tests.Infrastructure;

namespace ControlPlane.Api.Tests.Conventions;

/// <summary>Lists: their parameters, and their pages.</summary>
public sealed class QueryTests(ApiServer server)
{
    [Theory]
    [InlineData("/api/v1/hosts?limit=0", "limit")]
    [InlineData("/api/v1/hosts?limit=1001", "limit")]
    [InlineData("/api/v1/hosts?limit=ten", "limit")]
    [InlineData("/api/v1/hosts?limit=5&limit=6", "limit")]
    [InlineData("/api/v1/hosts?sort=colour", "sort")]
    [InlineData("/api/v1/hosts?pageToken=%F0%9F%98%80", "pageToken")]
    [InlineData("/api/v1/hosts?pageToken=AAAA", "pageToken")]
    [InlineData("/api/v1/hosts?stat=up", "stat")]
    [InlineData("/api/v1/hosts?state=UP", "state")]
    [InlineData("/api/v1/vms?name=%00", "name")]
    [InlineData("/api/v1/pci-devices?vendorId=80867", "vendorId")]
    [InlineData("/api/v1/pci-devices?numaNode=-1", "numaNode")]
    [InlineData("/api/v1/audit?from=yesterday", "from")]
    [InlineData("/api/v1/tokens?includeRevoked=yes", "includeRevoked")]
    [InlineData("/api/v1/operations/01936f5e-2c00-7000-8000-0000000000ff?wait=61", "wait")]
    public async Task A_bad_parameter_is_named(string path, string parameter) =>
        Assert.Equal(parameter, Assert.Single((await server.Admin.GetAsync(path)).Expect(400).BlamedFields));

    [Theory]
    [InlineData("name")]
    [InlineData("-name")]
    [InlineData("createdAt")]
    [InlineData("-createdAt")]
    public async Task Pages_hold_every_item_once_and_in_order(string sort)
    {
        var wire = server.Name("wire");
        var made = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            made.Add(server.Name(i % 2 == 0 ? "even" : "odd"));
            (await server.Admin.PostAsync("/api/v1/networks", $$"""{"name":"{{made[^1]}}","physicalNetwork":"{{wire}}"}""")).Expect(201);
        }

        var seen = new List<string>();
        string? token = null;
        do
        {
            var page = (await server.Admin.GetAsync($"/api/v1/networks?limit=2&sort={sort}&physicalNetwork={wire}{(token is null ? "" : $"&pageToken={token}")}")).Expect(200);
            Assert.InRange(page.Items.Count(), 1, 2);
            seen.AddRange(page.Items.Select(n => n["name"]!.GetValue<string>()));
            token = page.Json["nextPageToken"]?.GetValue<string>();
        }
        while (token is not null);

        var expected = sort.EndsWith("name", StringComparison.Ordinal) ? made.Order(StringComparer.Ordinal).ToList() : made;
        if (sort.StartsWith('-'))
            expected = [.. Enumerable.Reverse(expected)];
        Assert.Equal(expected, seen);
    }
}

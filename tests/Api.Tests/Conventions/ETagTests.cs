using ControlPlane.Api.Tests.Infrastructure;

namespace ControlPlane.Api.Tests.Conventions;

/// <summary>A change that is based on something old is refused.</summary>
public sealed class ETagTests(ApiServer server)
{
    [Fact]
    public async Task A_stale_tag_is_412_and_the_present_one_is_taken()
    {
        var name = server.Name("net");
        var made = (await server.Admin.PostAsync("/api/v1/networks", $$"""{"name":"{{name}}"}""")).Expect(201);
        var path = $"/api/v1/networks/{name}";
        var changed = (await server.Admin.PutAsync(path, $$"""{"name":"{{name}}","vlan":7}""", ("If-Match", made.ETag!))).Expect(200);

        Assert.NotEqual(made.ETag, changed.ETag);
        Assert.Equal("stale", (await server.Admin.PutAsync(path, $$"""{"name":"{{name}}","vlan":8}""", ("If-Match", made.ETag!))).Expect(412).Code);
        (await server.Admin.DeleteAsync(path, ("If-Match", "W/" + changed.ETag))).Expect(412);
        (await server.Admin.DeleteAsync(path, ("If-Match", "nonsense"))).Expect(412);
        Assert.Equal(changed.ETag, (await server.Admin.GetAsync(path)).Expect(200).ETag);
        (await server.Admin.DeleteAsync(path, ("If-Match", $"\"0\", {changed.ETag}"))).Expect(204);
        (await server.Admin.GetAsync(path)).Expect(404);
    }

    [Fact]
    public async Task Of_racing_changes_with_one_tag_exactly_one_is_made()
    {
        var name = server.Name("project");
        var made = (await server.Admin.PostAsync("/api/v1/projects", $$"""{"name":"{{name}}"}""")).Expect(201);

        var answers = await Task.WhenAll(Enumerable.Range(1, 8).Select(
            n => server.Admin.PutAsync($"/api/v1/projects/{name}/quota", $$"""{"vms":{{n}}}""", ("If-Match", made.ETag!))));

        Assert.Single(answers, a => a.Status == 200);
        Assert.Equal(7, answers.Count(a => a.Status == 412));
    }

    [Fact]
    public async Task Unplugging_by_a_stale_tag_of_the_VM_is_412()
    {
        await server.HostAsync();
        var (network, name) = (server.Name("net"), server.Name("vm"));
        (await server.Admin.PostAsync("/api/v1/networks", $$"""{"name":"{{network}}"}""")).Expect(201);
        (await server.Admin.PostAsync(
            "/api/v1/vms?wait=60", $$"""{"name":"{{name}}","vcpus":1,"memoryMiB":64,"interfaces":[{"name":"net0","network":"{{network}}"}]}""")).Expect(202);
        var present = (await server.Admin.GetAsync($"/api/v1/vms/{name}")).Expect(200).ETag!;

        (await server.Admin.DeleteAsync($"/api/v1/vms/{name}/interfaces/net0", ("If-Match", "\"0\""))).Expect(412);
        (await server.Admin.DeleteAsync($"/api/v1/vms/{name}/interfaces/net0", ("If-Match", present))).Expect(202);
    }

    [Fact]
    public async Task Racing_label_patches_without_a_tag_are_all_kept()
    {
        var host = await server.HostAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(
            n => server.Admin.PatchAsync($"/api/v1/hosts/{host}", """{"labels":{"key-N":"x"}}""".Replace("N", n.ToString(), StringComparison.Ordinal))));

        Assert.All(answers, a => a.Expect(200));
        var labels = (await server.Admin.GetAsync($"/api/v1/hosts/{host}")).Json["labels"]!.AsObject().Select(l => l.Key);
        Assert.Equal(["key-0", "key-1", "key-2", "key-3"], labels.Order(StringComparer.Ordinal));
    }
}

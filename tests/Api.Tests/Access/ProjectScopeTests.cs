using ControlPlane.Api.Tests.Infrastructure;

namespace ControlPlane.Api.Tests.Access;

/// <summary>What belongs to another project is not there.</summary>
public sealed class ProjectScopeTests(ApiServer server)
{
    [Fact]
    public async Task A_member_sees_its_own_project_and_nothing_of_another()
    {
        await server.HostAsync();
        var (mine, other, name) = (server.Name("mine"), server.Name("other"), server.Name("vm"));
        (await server.Admin.PostAsync("/api/v1/projects", $$"""{"name":"{{mine}}"}""")).Expect(201);
        (await server.Admin.PostAsync("/api/v1/projects", $$"""{"name":"{{other}}"}""")).Expect(201);
        var member = await server.CallerAsync("member", mine);
        var stranger = await server.CallerAsync("member", other);

        var operation = (await member.PostAsync("/api/v1/vms?wait=60", $$"""{"name":"{{name}}","vcpus":1,"memoryMiB":64,"image":"tiny"}""")).Expect(202);
        Assert.Equal("succeeded", operation.Text("state"));
        var vm = (await member.GetAsync($"/api/v1/vms/{name}")).Expect(200);
        Assert.Equal(mine, vm.Text("project"));

        var id = vm.Text("id");
        (await stranger.GetAsync($"/api/v1/vms/{id}")).Expect(404);
        (await stranger.GetAsync($"/api/v1/vms/{name}?project={mine}")).Expect(404);
        (await stranger.DeleteAsync($"/api/v1/vms/{id}")).Expect(404);
        (await stranger.PostAsync($"/api/v1/vms/{id}/stop")).Expect(404);
        (await stranger.PatchAsync($"/api/v1/vms/{id}", """{"labels":{"a":"b"}}""")).Expect(404);
        (await stranger.GetAsync($"/api/v1/operations/{operation.Text("id")}")).Expect(404);
        (await stranger.GetAsync($"/api/v1/vms?project={mine}")).Expect(404);
        (await stranger.GetAsync($"/api/v1/projects/{mine}")).Expect(404);
        (await stranger.PostAsync("/api/v1/vms", $$"""{"name":"x","project":"{{mine}}","vcpus":1,"memoryMiB":64}""")).Expect(404);
        Assert.Empty((await stranger.GetAsync("/api/v1/vms?project=*")).Expect(200).Items);
        Assert.Empty((await stranger.GetAsync("/api/v1/operations")).Expect(200).Items);
        Assert.Equal([other], (await stranger.GetAsync("/api/v1/projects")).Expect(200).Items.Select(p => p["name"]!.GetValue<string>()));
        Assert.Equal(409, (await server.Admin.DeleteAsync($"/api/v1/projects/{mine}")).Status);
    }

    [Fact]
    public async Task A_revoked_token_is_dead_at_once_and_lists_show_no_secret()
    {
        var made = (await server.Admin.PostAsync("/api/v1/tokens", $$"""{"name":"{{server.Name("token")}}","role":"operator"}""")).Expect(201);
        var caller = server.Client(made.Text("secret"));
        (await caller.GetAsync("/api/v1/hosts")).Expect(200);

        Assert.DoesNotContain(made.Text("secret")[^43..], (await server.Admin.GetAsync("/api/v1/tokens?limit=1000")).Expect(200).Body, StringComparison.Ordinal);
        (await server.Admin.DeleteAsync($"/api/v1/tokens/{made.Text("id")}")).Expect(204);

        (await caller.GetAsync("/api/v1/hosts")).Expect(401);
        (await server.Admin.DeleteAsync($"/api/v1/tokens/{made.Text("id")}")).Expect(204);
    }

    [Fact]
    public async Task What_was_asked_is_audited_whatever_came_of_it()
    {
        var caller = await server.CallerAsync("viewer");
        var name = server.Name("net");
        (await caller.PostAsync("/api/v1/networks", $$"""{"name":"{{name}}"}""")).Expect(403);
        (await server.Admin.PostAsync("/api/v1/networks", $$"""{"name":"{{name}}"}""")).Expect(201);
        (await server.Admin.PostAsync("/api/v1/networks", $$"""{"name":"{{name}}"}""")).Expect(409);

        var entries = (await server.Admin.GetAsync("/api/v1/audit?sort=-createdAt&action=CreateNetwork&limit=1000")).Expect(200).Items
            .Select(e => (e["status"]!.GetValue<int>(), e["code"]?.GetValue<string>(), e["remoteAddress"]?.GetValue<string>())).ToList();

        Assert.Contains((403, "forbidden", "127.0.0.1"), entries);
        Assert.Contains((201, null, "127.0.0.1"), entries);
        Assert.Contains((409, "name-taken", "127.0.0.1"), entries);
    }
}

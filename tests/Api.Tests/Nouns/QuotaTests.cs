using ControlPlane.Api.Tests.Infrastructure;

namespace ControlPlane.Api.Tests.Nouns;

/// <summary>A project gets what its quota allows, and is told what it does not.</summary>
public sealed class QuotaTests(ApiServer server)
{
    [Fact]
    public async Task A_refusal_names_each_bound_that_stands_in_the_way()
    {
        await server.HostAsync();
        var project = server.Name("bounded");
        (await server.Admin.PostAsync("/api/v1/projects", $$"""{"name":"{{project}}","quota":{"vcpus":3,"memoryMiB":100,"vms":5} }""")).Expect(201);
        (await CreateAsync(project, vcpus: 2)).Expect(202);

        var refused = (await CreateAsync(project, vcpus: 2)).Expect(429);

        Assert.Equal("quota-exceeded", refused.Code);
        Assert.Equal(
            $"The quota of project '{project}' does not allow for it: vcpus: 2 more than the 2 in use would exceed 3; "
            + "memoryMiB: 64 more than the 64 in use would exceed 100.",
            refused.Text("detail"));
    }

    private Task<ApiAnswer> CreateAsync(string project, int vcpus) => server.Admin.PostAsync(
        "/api/v1/vms?wait=30", $$"""{"name":"{{server.Name("vm")}}","project":"{{project}}","vcpus":{{vcpus}},"memoryMiB":64,"image":"tiny"}""");
}

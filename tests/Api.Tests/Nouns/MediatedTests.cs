using ControlPlane.Api.Tests.Infrastructure;

namespace ControlPlane.Api.Tests.Nouns;

/// <summary>A VM that asks by a label for a part of a GPU gets it, keeps it where it goes, and is told when there is none.</summary>
public sealed class MediatedTests(ApiServer server)
{
    [Fact]
    public async Task A_VM_has_its_part_of_a_GPU_until_it_is_deleted()
    {
        var host = await server.HostAsync("gpu-node");
        var (vm, state) = await CreateAsync(host, "A100D-80C");
        Assert.Equal("succeeded", state);

        var counted = (await server.Admin.GetAsync($"/api/v1/vms/{vm}/statistics")).Expect(200).Json["counters"]!["mediated"]!;
        Assert.Equal(1, counted["instances"]!.GetValue<long>());
        Assert.Equal((1, 81920), await GivenAsync(host));

        (await server.Admin.DeleteAsync($"/api/v1/vms/{vm}?wait=60")).Expect(202);
        Assert.Equal((0, 0), await GivenAsync(host));
    }

    [Fact]
    public async Task A_VM_that_finds_no_room_is_not_made_and_is_told_what_there_is()
    {
        var host = await server.HostAsync();
        var made = await PostAsync(host, server.Name("mediated"), "A100D-80C");

        Assert.Equal("failed", made.Text("state"));
        Assert.Contains("mediated-unavailable", made.Body, StringComparison.Ordinal);
        Assert.Contains("A100D-80C", made.Body, StringComparison.Ordinal);
    }

    private async Task<(string Vm, string State)> CreateAsync(string host, string type)
    {
        var vm = server.Name("mediated");
        return (vm, (await PostAsync(host, vm, type)).Text("state"));
    }

    private async Task<ApiAnswer> PostAsync(string host, string vm, string type) => (await server.Admin.PostAsync(
        "/api/v1/vms?wait=60",
        $$"""{"name":"{{vm}}","vcpus":1,"memoryMiB":64,"placement":{"host":"{{host}}"},"labels":{"emulator.mediated":"{{type}}"} }""")).Expect(202);

    private async Task<(long Instances, long FramebufferMiB)> GivenAsync(string host)
    {
        var counted = (await server.Admin.GetAsync($"/api/v1/hosts/{host}/statistics")).Expect(200).Json["counters"]!["mediated"]!;
        return (counted["instances"]!.GetValue<long>(), counted["framebuffer-given-mib"]!.GetValue<long>());
    }
}

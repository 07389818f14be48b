using ControlPlane.Api.Tests.Infrastructure;

namespace ControlPlane.Api.Tests.Nouns;

/// <summary>What a host has counted can be read, of the host itself and of each VM on it.</summary>
public sealed class StatisticsTests(ApiServer server)
{
    [Fact]
    public async Task A_running_VM_and_its_host_show_their_counters_by_mechanism()
    {
        var (host, vm) = (await server.HostAsync(), server.Name("counted"));
        var made = await server.Admin.PostAsync(
            "/api/v1/vms?wait=60", $$"""{"name":"{{vm}}","vcpus":1,"memoryMiB":64,"placement":{"host":"{{host}}"} }""");
        Assert.Equal("succeeded", made.Expect(202).Text("state"));

        var ofVm = (await server.Admin.GetAsync($"/api/v1/vms/{vm}/statistics")).Expect(200);
        var ofHost = (await server.Admin.GetAsync($"/api/v1/hosts/{host}/statistics")).Expect(200);

        Assert.Equal((vm, host), (ofVm.Text("vm"), ofVm.Text("host")));
        Assert.Equal(64L * 1024 * 1024, ofVm.Json["counters"]!["memory"]!["total-bytes"]!.GetValue<long>());
        Assert.Equal(host, ofHost.Text("host"));
        // VMs of other tests may have been placed here too.
        Assert.InRange(ofHost.Json["counters"]!["domains"]!["running"]!.GetValue<long>(), 1, long.MaxValue);
        Assert.Empty(ofHost.Json["dmaFaults"]!.AsArray());
    }

    [Fact]
    public async Task What_is_not_there_has_no_counters()
    {
        Assert.Equal("vm-not-found", (await server.Admin.GetAsync("/api/v1/vms/nobody/statistics")).Expect(404).Text("code"));
        Assert.Equal("host-not-found", (await server.Admin.GetAsync("/api/v1/hosts/nowhere/statistics")).Expect(404).Text("code"));
    }
}

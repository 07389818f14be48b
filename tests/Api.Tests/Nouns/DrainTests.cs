using ControlPlane.Api.Tests.Infrastructure;

namespace ControlPlane.Api.Tests.Nouns;

/// <summary>A drain stops no VM that it was not allowed to stop, and its plan says what it will do.</summary>
public sealed class DrainTests(ApiServer server)
{
    [Fact]
    public async Task A_VM_that_no_other_host_takes_stays_and_runs_unless_its_stop_is_allowed()
    {
        var (host, vm) = await TiedVmAsync();
        var plan = (await server.Admin.PostAsync($"/api/v1/hosts/{host}/drain", """{"dryRun":true}""")).Expect(200);

        var drained = (await server.Admin.PostAsync($"/api/v1/hosts/{host}/drain?wait=60", "{}")).Expect(202);

        Assert.Empty(plan.Json["stops"]!.AsArray());
        Assert.Equal(vm, Assert.Single(plan.Json["unplaceable"]!.AsArray())!["vm"]!.GetValue<string>());
        Assert.Equal(("failed", "drain-incomplete"), (drained.Text("state"), drained.Json["error"]!["code"]!.GetValue<string>()));
        Assert.Contains($"'{vm}'", drained.Json["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal("running", (await server.Admin.GetAsync($"/api/v1/vms/{vm}")).Expect(200).Text("state"));
    }

    [Fact]
    public async Task With_allowDeviceLoss_it_is_stopped_and_the_host_is_free_for_maintenance()
    {
        var (host, vm) = await TiedVmAsync();
        var plan = (await server.Admin.PostAsync($"/api/v1/hosts/{host}/drain", """{"dryRun":true,"allowDeviceLoss":true}""")).Expect(200);
        var untouched = (await server.Admin.GetAsync($"/api/v1/hosts/{host}")).Expect(200).Text("state");

        var drained = (await server.Admin.PostAsync($"/api/v1/hosts/{host}/drain?wait=60", """{"allowDeviceLoss":true}""")).Expect(202);

        Assert.Equal("up", untouched);
        Assert.Equal(vm, Assert.Single(plan.Json["stops"]!.AsArray())!["vm"]!.GetValue<string>());
        Assert.Empty(plan.Json["unplaceable"]!.AsArray());
        Assert.Equal("succeeded", drained.Text("state"));
        Assert.Equal("stopped", (await server.Admin.GetAsync($"/api/v1/vms/{vm}")).Expect(200).Text("state"));
        Assert.Equal("maintenance", (await server.Admin.GetAsync($"/api/v1/hosts/{host}")).Expect(200).Text("state"));
    }

    /// <summary>A running VM that only its own host may have.</summary>
    private async Task<(string Host, string Vm)> TiedVmAsync()
    {
        var (host, vm) = (await server.HostAsync(), server.Name("tied"));
        (await server.Admin.PatchAsync($"/api/v1/hosts/{host}", $$"""{"labels":{"only":"{{vm}}"} }""")).Expect(200);
        var made = await server.Admin.PostAsync(
            "/api/v1/vms?wait=60", $$"""{"name":"{{vm}}","vcpus":1,"memoryMiB":64,"placement":{"hostSelector":{"only":"{{vm}}"} } }""");
        Assert.Equal("succeeded", made.Expect(202).Text("state"));
        return (host, vm);
    }
}

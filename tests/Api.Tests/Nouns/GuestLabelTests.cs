using ControlPlane.Api.Tests.Infrastructure;

namespace ControlPlane.Api.Tests.Nouns;

/// <summary>Labels by which a VM tells its backend something: a slip of the pen is heard at once, not when the guest behaves otherwise than was meant.</summary>
public sealed class GuestLabelTests(ApiServer server)
{
    [Theory]
    [InlineData("emulator.nic", "token-ring", "must be virtio, e1000, xen, vmdq or self-virtualized, not 'token-ring'.")]
    [InlineData("emulator.nic.net0", "E1000", "must be virtio, e1000, xen, vmdq or self-virtualized, not 'E1000'.")]
    [InlineData("emulator.boot", "soon", "must be a duration such as 500ms, 5s or 2m, not 'soon'.")]
    [InlineData("emulator.queues", "65", "must be a whole number from 1 to 64, not '65'.")]
    [InlineData("emulator.nik", "e1000", "is not a label that the emulated hypervisor heeds on a VM; it heeds emulator.boot, ")]
    [InlineData("emulator.paging.net0", "ept", "is not a label that the emulated hypervisor heeds on a VM")]
    [InlineData("libvirt-teaming", "no", "must be on or off, not 'no'.")]
    public async Task One_that_no_backend_can_read_is_refused_by_its_name_with_what_it_must_be_and_nothing_is_made(string key, string text, string why)
    {
        var vm = server.Name("labelled");

        var refused = (await server.Admin.PostAsync("/api/v1/vms", Draft(vm, key, text))).Expect(400);

        Assert.Equal([$"labels.{key}"], refused.BlamedFields);
        Assert.Contains(why, refused.Json["errors"]![$"labels.{key}"]!.ToJsonString().Replace("\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal);
        (await server.Admin.GetAsync($"/api/v1/vms/{vm}")).Expect(404);
    }

    [Fact]
    public async Task It_is_told_together_with_whatever_else_is_wrong()
    {
        var refused = (await server.Admin.PostAsync("/api/v1/vms", """{"name":"Not A Name","vcpus":0,"memoryMiB":64,"labels":{"emulator.nic":"token-ring"} }""")).Expect(400);

        Assert.Equal(["labels.emulator.nic", "name", "vcpus"], refused.BlamedFields.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_VM_keeps_what_it_had_when_its_new_labels_cannot_be_read_and_its_users_own_are_nobody_elses_business()
    {
        await server.HostAsync();
        var vm = server.Name("labelled");
        (await server.Admin.PostAsync("/api/v1/vms?wait=60", Draft(vm, "emulator", "yes"))).Expect(202);

        var refused = (await server.Admin.PatchAsync($"/api/v1/vms/{vm}", """{"labels":{"emulator.tlb":"tag","team":"a"} }""")).Expect(400);

        Assert.Equal(["labels.emulator.tlb"], refused.BlamedFields);
        Assert.Equal("""{"emulator":"yes"}""", (await server.Admin.GetAsync($"/api/v1/vms/{vm}")).Expect(200).Json["spec"]!["labels"]!.ToJsonString());
        (await server.Admin.DeleteAsync($"/api/v1/vms/{vm}?wait=60")).Expect(202);
    }

    private static string Draft(string vm, string key, string text) =>
        $$"""{"name":"{{vm}}","vcpus":1,"memoryMiB":64,"labels":{"{{key}}":"{{text}}"},"start":false}""";
}

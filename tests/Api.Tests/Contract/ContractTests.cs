using ControlPlane.Api.Tests.Infrastructure;

namespace ControlPlane.Api.Tests.Contract;

/// <summary>Answers have the shapes that the contract publishes: the examples below are its own, field by field.</summary>
public sealed class ContractTests(ApiServer server)
{
    private const string Vm =
        """
        { "id": "…", "name": "web-1", "project": "ci", "spec": {
            "name": "web-1", "project": "ci", "vcpus": 2, "memoryMiB": 2048, "hugepages": "none", "image": "tiny", "disks": [{"name": "root", "sizeGiB": 10}],
            "interfaces": [{"name": "net0", "network": "prod", "attach": "failover", "mac": "52:54:00:…"}],
            "devices": [{"name": "acc0", "pool": "accelerators", "count": 1}], "numaPolicy": "preferred", "deviceSpread": "none",
            "placement": {"host": null, "hostSelector": {"zone": "a"}, "group": "web", "groupPolicy": "spread"}, "labels": {}, "start": true },
          "state": "running", "host": "hv1", "generation": 4,
          "interfaces": [{"name":"net0","mac":"…","attach":"failover","device":{"address":"0000:41:10.2","guestAddress":"0000:02:00.0","generation":7},"linkState":"up"}],
          "devices": [{"name":"acc0","address":"…","guestAddress":"…","generation":3}],
          "conditions": [], "operationId": null, "createdAt": "…", "updatedAt": "…" }
        """;

    private const string Device =
        """
        { "host":"hv1","address":"0000:41:00.0","kind":"endpoint","classCode":"020000","className":"Ethernet controller","vendorId":"8086","vendorName":"…",
          "deviceId":"10c9","deviceName":"…","subsystemVendorId":"8086","subsystemDeviceId":"a03c","revision":"01","driver":"igb","numaNode":0,"iommuGroup":12,
          "parent":"0000:40:01.0","function":"physical","physicalFunction":null,
          "sriov":{"totalVfs":8,"vfCount":4,"vfDeviceId":"10ca","firstVfOffset":128,"vfStride":2},
          "link":{"speedGTs":2.5,"width":4,"maxSpeedGTs":2.5,"maxWidth":4},"interrupts":{"msiVectors":1,"msixVectors":10},
          "reset":["flr"],"acs":false,"state":"host","owner":null,"generation":0,"assignable":false,"hostCritical":false,"pools":[] }
        """;

    private const string Migration =
        """
        { "id":"…","vm":"…","source":"hv1","target":"hv2","state":"running","operationId":"…",
          "devices":[{"name":"net0","method":"failover","sourceAddress":"…","targetAddress":"…","guestAddressBefore":"…","guestAddressAfter":"…",
             "macBefore":"…","macAfter":"…","unplugMilliseconds":0,"replugMilliseconds":0,"gapMilliseconds":0}],
          "phases":[{"name":"reserve-target","state":"done","startedAt":"…","endedAt":"…"}],
          "transfer":{"passes":3,"bytesTotal":0,"bytesTransferred":0,"dirtyMiBPerSecond":0,"downtimeMilliseconds":0},
          "estimate":{"downtimeMilliseconds":0,"gapMillisecondsByDevice":{"net0":0},"totalSeconds":0},"failure":null }
        """;

    private const string Operation =
        """
        { "id":"…","kind":"vm.create","state":"succeeded","target":{"kind":"vm","id":"…"},"progressPercent":100,
          "steps":[{"name":"…","state":"done","startedAt":"…","endedAt":"…","detail":null}],"error":null,"createdAt":"…","endedAt":"…" }
        """;

    private const string NoPlacement =
        """
        { "type":"…","title":"No placement","status":507,"code":"no-placement","detail":"0 of 3 hosts fit","traceId":"…",
          "explanation":[{"host":"hv1","failed":[{"filter":"devices","needed":"2 functions of pool fast-net","available":"1","detail":"…"}],"smallestChange":"release 0000:41:10.3"}] }
        """;

    [Fact]
    public async Task A_VM_its_operation_its_device_and_its_migration_are_as_published()
    {
        var (network, pool) = await SuppliesAsync();
        var (first, second, name) = (await server.HostAsync(), await server.HostAsync(), server.Name("web"));
        await LabelAsync(first, name);
        await LabelAsync(second, name);
        var body =
            $$"""
            { "name": "{{name}}", "project": "default", "vcpus": 2, "memoryMiB": 64, "hugepages": "none", "image": "tiny",
              "disks": [{"name": "root", "sizeGiB": 10}],
              "interfaces": [{"name": "net0", "network": "{{network}}", "attach": "failover", "mac": "52:54:00:c0:ff:{{(name.GetHashCode(StringComparison.Ordinal) & 0xff).ToString("x2", null)}}"}],
              "devices": [{"name": "acc0", "pool": "{{pool}}", "count": 1}],
              "numaPolicy": "preferred", "deviceSpread": "none",
              "placement": {"host": null, "hostSelector": {"zone": "{{name}}"}, "group": "{{name}}", "groupPolicy": "spread"},
              "labels": {}, "start": true }
            """;

        var created = (await server.Admin.PostAsync("/api/v1/vms?wait=60", body)).Expect(202);
        var vm = (await server.Admin.GetAsync($"/api/v1/vms/{name}")).Expect(200);
        var place = vm.Json["interfaces"]![0]!["device"]!["address"]!.GetValue<string>();
        var device = (await server.Admin.GetAsync($"/api/v1/hosts/{vm.Text("host")}/pci-devices/{place}")).Expect(200);
        var maker = (await server.Admin.GetAsync($"/api/v1/hosts/{vm.Text("host")}/pci-devices/{device.Text("physicalFunction")}")).Expect(200);
        var migrated = (await server.Admin.PostAsync($"/api/v1/vms/{name}/migrate?wait=60", "{}")).Expect(202);
        var migration = (await server.Admin.GetAsync($"/api/v1/migrations?vm={name}")).Expect(200).Items.Single().ToJsonString();

        Assert.Equal("succeeded", migrated.Text("state"));
        Assert.Empty(Shape.Differences(Operation, created.Body));
        Assert.Empty(Shape.Differences(Vm, vm.Body));
        Assert.Empty(Shape.Differences(Device, maker.Body));
        Assert.Empty(Shape.Differences(Device, device.Body, "sriov"));
        // A function that carries no traffic has no gap and no MAC.
        Assert.Empty(Shape.Differences(Migration, migration, "devices[].gapMilliseconds", "devices[].macBefore", "devices[].macAfter"));
    }

    [Fact]
    public async Task A_device_shows_the_driver_that_it_has_now()
    {
        var (_, pool) = await SuppliesAsync();
        var (host, name) = (await server.HostAsync(), server.Name("vm"));
        await LabelAsync(host, name);
        (await server.Admin.PostAsync(
            "/api/v1/vms?wait=60",
            $$"""{"name":"{{name}}","vcpus":1,"memoryMiB":64,"devices":[{"name":"acc0","pool":"{{pool}}"}],"placement":{"hostSelector":{"zone":"{{name}}"} } }""")).Expect(202);
        var address = (await server.Admin.GetAsync($"/api/v1/vms/{name}")).Expect(200).Json["devices"]![0]!["address"]!.GetValue<string>();
        var device = $"/api/v1/hosts/{host}/pci-devices/{address}";

        var attached = (await server.Admin.GetAsync(device)).Expect(200);
        Assert.Equal("succeeded", (await server.Admin.DeleteAsync($"/api/v1/vms/{name}?wait=60")).Expect(202).Text("state"));
        var free = (await server.Admin.GetAsync(device)).Expect(200);

        Assert.Equal(("attached", "vfio-pci"), (attached.Text("state"), attached.Text("driver")));
        Assert.Equal(("free", "igbvf"), (free.Text("state"), free.Text("driver")));
    }

    [Fact]
    public async Task The_spec_is_what_was_asked_for()
    {
        await server.HostAsync();
        var name = server.Name("vm");
        (await server.Admin.PostAsync(
            "/api/v1/vms?wait=60", $$"""{"name":"{{name}}","vcpus":3,"memoryMiB":64,"image":"tiny","labels":{"a":"b"},"start":false}""")).Expect(202);

        var vm = (await server.Admin.GetAsync($"/api/v1/vms/{name}")).Expect(200);

        Assert.Equal("stopped", vm.Text("state"));
        var spec = vm.Json["spec"]!;
        Assert.Equal(
            ("default", 3, 64, "tiny", "b", false),
            (spec["project"]!.GetValue<string>(), spec["vcpus"]!.GetValue<int>(), spec["memoryMiB"]!.GetValue<int>(), spec["image"]!.GetValue<string>(),
                spec["labels"]!["a"]!.GetValue<string>(), spec["start"]!.GetValue<bool>()));
    }

    [Fact]
    public async Task No_placement_is_507_with_an_explanation_of_each_host()
    {
        var (_, pool) = await SuppliesAsync();
        var host = await server.HostAsync();
        await LabelAsync(host, host);
        var refused = (await server.Admin.PostAsync(
            "/api/v1/vms",
            $$"""{"name":"{{server.Name("vm")}}","vcpus":1,"memoryMiB":64,"devices":[{"name":"d","pool":"{{pool}}","count":64}],"placement":{"hostSelector":{"zone":"{{host}}"} } }""")).Expect(507);

        Assert.Equal("application/problem+json", refused.MediaType);
        Assert.Empty(Shape.Differences(NoPlacement, refused.Body, "explanation[].smallestChange"));
    }

    /// <summary>A network, and a pool that supplies both it and device requests.</summary>
    private async Task<(string Network, string Pool)> SuppliesAsync()
    {
        var (network, pool) = (server.Name("net"), server.Name("pool"));
        (await server.Admin.PostAsync("/api/v1/networks", $$"""{"name":"{{network}}"}""")).Expect(201);
        (await server.Admin.PostAsync(
            "/api/v1/device-pools", $$"""{"name":"{{pool}}","kind":"virtual-function","match":[{"vendorId":"8086","deviceId":"10ca"}]}""")).Expect(201);
        return (network, pool);
    }

    private async Task LabelAsync(string host, string zone) =>
        (await server.Admin.PatchAsync($"/api/v1/hosts/{host}", $$"""{"labels":{"zone":"{{zone}}"} }""")).Expect(200);
}

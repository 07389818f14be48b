using System.Globalization;
using System.Text.Json;
using ControlPlane.Testing;
using ControlPlane.Testing.Servers;

namespace ControlPlane.Libvirt.Rig.Tests.Saga;

/// <summary>The whole control plane on the nested hosts: its server with its database, called over HTTP as a user calls it.</summary>
public sealed class MigrationSagaTests(FurnishedHosts hosts) : IClassFixture<FurnishedHosts>
{
    private const string Mac = "52:54:00:aa:00:60";
    private const string GuestBoots = "the guest, booted by its firmware from its disk, answers";

    /// <summary>A guest boots for minutes; every part has this much time at the most.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(15);

    private readonly List<(string Name, TimeSpan From, TimeSpan To)> stretches = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_vm_with_a_failover_interface_moves_to_the_other_host_and_its_standby_carries_the_traffic_meanwhile()
    {
        var (log, cycle) = (hosts.Log, hosts.Cycle);
        log.Say("== a migration by the control plane: POST /hosts, /vms, /vms/{vm}/migrate");
        using var data = TestDirectory.Create("saga");
        await using var server = await RunningServer.StartInAsync(
            new Dictionary<string, string> { ["ControlPlane__LibvirtHostShell"] = $"bash {NestedHosts.Script()} at {{port}}" }, Path.Combine(data.Path, "data"), Ct);
        log.Say(string.Create(CultureInfo.InvariantCulture, $"server ready after {server.ReadyAfter.TotalSeconds:0.00} s, with a private PostgreSQL"));
        var api = new Api(server.Http);
        await FurnishAsync(api);

        await SucceedAsync(api, "POST /vms on hv1", HttpMethod.Post, "vms", new
        {
            name = "web-1", vcpus = 1, memoryMiB = 256, image = "guest", placement = new { host = "hv1" },
            interfaces = new[] { new { name = "net0", network = "prod", attach = "failover", mac = Mac } },
        });
        await log.PartAsync(GuestBoots, () => hosts.Probes.AwaitRepliesAsync(10, Deadline, Ct));
        await cycle.StandbyCarriesAsync(hosts.First, expected: false, Ct);
        var before = await LookAsync(api, "hv1", hosts.First);

        var began = hosts.Probes.Now;
        var migration = await MigrateAsync(api);
        var ended = hosts.Probes.Now;
        await log.PartAsync("after the operation, until the guest has taken the target's function", () => cycle.TrafficFlowsAsync(Ct));
        stretches.Add(("from the end of the operation until the guest has taken the function", ended, hosts.Probes.Now));
        var whole = await cycle.TellTrafficAsync("from the POST until the guest has taken the target's function", began, Ct);
        foreach (var (name, from, to) in stretches)
            log.Figures(name, hosts.Probes.Trace().Between(from, to));

        var after = await LookAsync(api, "hv2", hosts.Second);
        var device = migration.GetProperty("devices")[0];
        Assert.Equal("failover", device.GetProperty("method").GetString());
        Assert.Equal((Mac, Mac), (device.GetProperty("macBefore").GetString(), device.GetProperty("macAfter").GetString()));
        Assert.Equal(before.GuestAddress, after.GuestAddress);
        Assert.Equal((before.GuestAddress, before.GuestAddress), (device.GetProperty("guestAddressBefore").GetString(), device.GetProperty("guestAddressAfter").GetString()));
        await cycle.StandbyCarriesAsync(hosts.Second, expected: false, Ct);
        Assert.True(whole.Sent > whole.Lost, "no probe was answered while the VM moved");
        await AssertFreeAsync(api, "hv1", hosts.First, before.Function);
        Assert.Equal(0, await CountAsync(api, "operations?state=stuck"));

        await SucceedAsync(api, "DELETE /vms/web-1", HttpMethod.Delete, "vms/web-1", new { });
        await AssertFreeAsync(api, "hv2", hosts.Second, after.Function);
    }

    private async Task FurnishAsync(Api api)
    {
        foreach (var host in new[] { hosts.First, hosts.Second })
        {
            await host.RunAsync($"cp /lab/guest.img {FurnishedHosts.Images}/guest.raw; virsh pool-refresh default", Ct);
            await SucceedAsync(api, $"POST /hosts {host.Uri}", HttpMethod.Post, "hosts", new { name = host.Name, backend = new { kind = "libvirt", uri = host.Uri }, labels = host.Labels });
            Assert.Equal("up", (await api.GetAsync($"hosts/{host.Name}", Ct)).GetProperty("state").GetString());
        }

        await api.PostAsync("networks", new { name = "prod" }, Ct);
        await api.PostAsync("device-pools", new { name = "functions", kind = "virtual-function", match = new[] { new { vendorId = "8086", deviceId = "10ca" } } }, Ct);
    }

    private async Task<JsonElement> MigrateAsync(Api api)
    {
        var (clock, stream) = (TimeProvider.System.GetUtcNow(), hosts.Probes.Now);
        await SucceedAsync(api, "POST /vms/web-1/migrate to hv2", HttpMethod.Post, "vms/web-1/migrate", new
        {
            targetHost = "hv2", timeoutSeconds = 1800, unplugTimeoutSeconds = 300, downtimeLimitMilliseconds = 10_000,
        });
        var migration = (await api.GetAsync("migrations?vm=web-1", Ct)).GetProperty("items")[0];
        Assert.Equal("succeeded", migration.GetProperty("state").GetString());
        foreach (var phase in migration.GetProperty("phases").EnumerateArray())
        {
            var name = phase.GetProperty("name").GetString();
            if (phase.GetProperty("startedAt").ValueKind == JsonValueKind.Null || phase.GetProperty("endedAt").ValueKind == JsonValueKind.Null)
                continue;
            var (from, to) = (phase.GetProperty("startedAt").GetDateTimeOffset() - clock + stream, phase.GetProperty("endedAt").GetDateTimeOffset() - clock + stream);
            hosts.Log.Say(string.Create(CultureInfo.InvariantCulture, $"  phase {name}: {phase.GetProperty("state").GetString()}, {(to - from).TotalSeconds:0.00} s"));
            stretches.Add(($"phase {name}", from, to));
        }

        hosts.Log.Say($"  devices: {migration.GetProperty("devices")}");
        hosts.Log.Say($"  transfer: {migration.GetProperty("transfer")}");
        return migration;
    }

    /// <summary>What the API says of the VM's function, and that the host says the same.</summary>
    private async Task<(string Function, string? GuestAddress)> LookAsync(Api api, string host, NestedHost nested)
    {
        var vm = await api.GetAsync("vms/web-1", Ct);
        Assert.Equal(("running", host), (vm.GetProperty("state").GetString(), vm.GetProperty("host").GetString()));
        var served = vm.GetProperty("interfaces")[0];
        var address = served.GetProperty("device").GetProperty("address").GetString()!;
        Assert.Equal(Mac, served.GetProperty("mac").GetString());
        Assert.Equal("vfio-pci", nested.DriverOf(NodeOf(address)));
        Assert.Equal(1, nested.GroupSizeOf(NodeOf(address)));
        hosts.Log.Say($"  the VM has {address} of {host}, bound to vfio-pci; in the guest {served.GetProperty("device").GetProperty("guestAddress").GetString()}, {Mac}");
        return (address, served.GetProperty("device").GetProperty("guestAddress").GetString());
    }

    /// <summary>Free for the next owner: the row says so, the host's driver has it again, and the physical function knows nothing of the last owner.</summary>
    private async Task AssertFreeAsync(Api api, string host, NestedHost nested, string address)
    {
        var device = await api.GetAsync($"hosts/{host}/pci-devices/{address}", Ct);
        Assert.Equal("free", device.GetProperty("state").GetString());
        Assert.Equal(JsonValueKind.Null, device.GetProperty("owner").ValueKind);
        Assert.Equal("igbvf", nested.DriverOf(NodeOf(address)));
        Assert.Equal("0", await nested.RunAsync($"ip link show dev enp4s0 | grep -ci -e '{Mac}' -e vlan -e 'trust on'", Ct));
        hosts.Log.Say($"  {address} of {host} is free: proven clean, back at igbvf, nothing of the VM left at the physical function");
    }

    private async Task SucceedAsync(Api api, string name, HttpMethod method, string path, object body)
    {
        var operation = await hosts.Log.PartAsync(name, () => api.OperateAsync(method, path, body, Deadline, Ct));
        Assert.True(operation.GetProperty("state").GetString() == "succeeded", operation.ToString());
    }

    private static async Task<int> CountAsync(Api api, string list) => (await api.GetAsync(list, Ct)).GetProperty("items").GetArrayLength();

    private static string NodeOf(string address) => $"pci_{address.Replace(':', '_').Replace('.', '_')}";
}

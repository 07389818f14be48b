using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Testing.Postgres;

namespace ControlPlane.Persistence.Tests;

public sealed class PagingTests(MigratedPostgres postgres)
{
    [Theory]
    [InlineData(null)]
    [InlineData("createdAt")]
    [InlineData("-createdAt")]
    [InlineData("name")]
    [InlineData("-name")]
    public async Task Pages_show_every_row_once_in_order(string? sort)
    {
        await using var world = await World.CreateAsync(postgres);
        var names = new[] { "b", "a-1", "a", "c", "a1", "z", "y" };
        foreach (var name in names)
            await world.AddVmAsync(name);

        var seen = await AllAsync(world, new VmFilter(), new PageRequest(2, null, sort));

        var expected = sort?.TrimStart('-') == "name" ? names.Order(StringComparer.Ordinal) : names.AsEnumerable();
        Assert.Equal(sort?.StartsWith('-') == true ? expected.Reverse() : expected, seen.Select(vm => vm.Name));
    }

    [Fact]
    public async Task Rows_that_come_and_go_between_pages_neither_repeat_nor_hide_others()
    {
        await using var world = await World.CreateAsync(postgres);
        foreach (var name in new[] { "a", "b", "c", "d" })
            await world.AddVmAsync(name);
        var first = await ListAsync(world, new VmFilter(), new PageRequest(2, null, "name"));

        await world.CommitAsync(unit => world.Vms.Delete(unit, first.Items[1].Id, Generation.None));
        await world.AddVmAsync("aa");
        var second = await ListAsync(world, new VmFilter(), new PageRequest(2, first.NextPageToken, "name"));

        Assert.Equal(["c", "d"], second.Items.Select(vm => vm.Name));
        Assert.Null(second.NextPageToken);
    }

    [Fact]
    public async Task Filters_are_of_one_mind_with_what_the_records_say()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        var here = await world.AddVmAsync("here", host.Id);
        var labelled = world.NewVm("labelled", null, new Dictionary<string, string> { ["app.kubernetes.io/name"] = "it's", ["zone"] = "a" });
        var grouped = world.NewVm("grouped", null);
        grouped = grouped with { State = VmState.Running, Spec = grouped.Spec with { Placement = grouped.Spec.Placement with { Group = "web" } } };
        await world.CommitAsync(unit =>
        {
            world.Vms.Insert(unit, labelled);
            world.Vms.Insert(unit, grouped);
        });

        await AssertShows(new VmFilter(Host: host.Id), here.Name);
        await AssertShows(new VmFilter(State: VmState.Running), "grouped");
        await AssertShows(new VmFilter(Name: "labelled"), "labelled");
        await AssertShows(new VmFilter(Group: "web"), "grouped");
        await AssertShows(new VmFilter(Labels: new Dictionary<string, string> { ["app.kubernetes.io/name"] = "it's", ["zone"] = "a" }), "labelled");
        await AssertShows(new VmFilter(Labels: new Dictionary<string, string> { ["zone"] = "b" }));
        await AssertShows(new VmFilter(Project: new ProjectId(World.NewId())));

        async Task AssertShows(VmFilter filter, params string[] names) =>
            Assert.Equal(names, (await AllAsync(world, filter, new PageRequest())).Select(vm => vm.Name));
    }

    [Fact]
    public async Task A_token_is_refused_where_it_was_not_given()
    {
        await using var world = await World.CreateAsync(postgres);
        foreach (var name in new[] { "a", "b", "c" })
            await world.AddVmAsync(name);
        var token = (await ListAsync(world, new VmFilter(), new PageRequest(1))).NextPageToken!;

        Assert.Null((await world.Vms.ListAsync(new VmFilter(), new PageRequest(1, token), CancellationToken.None)).Fault);
        await AssertRefused(new VmFilter(State: VmState.Running), new PageRequest(1, token));
        await AssertRefused(new VmFilter(), new PageRequest(1, token, "name"));
        await AssertRefused(new VmFilter(), new PageRequest(1, token, "-createdAt"));
        Assert.NotNull((await world.Hosts.ListAsync(new Hosts.HostFilter(), new PageRequest(1, token), CancellationToken.None)).Fault);

        async Task AssertRefused(VmFilter filter, PageRequest page) =>
            Assert.Equal(FaultKind.Malformed, (await world.Vms.ListAsync(filter, page, CancellationToken.None)).Fault?.Kind);
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("%%%")]
    [InlineData("AAAA")]
    [InlineData("' OR 1=1 --")]
    [InlineData("H0H0H0H0H0H0H0H0H0H0H0H0H0H0H0H0H0H0H0H0H0H0")]
    public async Task Any_other_text_is_no_token(string token)
    {
        await using var world = await World.CreateAsync(postgres);

        Assert.Equal(FaultKind.Malformed, (await world.Vms.ListAsync(new VmFilter(), new PageRequest(1, token), CancellationToken.None)).Fault?.Kind);
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(1001, null)]
    [InlineData(-1, null)]
    [InlineData(1, "memory")]
    [InlineData(1, "--name")]
    [InlineData(1, "")]
    public async Task A_page_that_makes_no_sense_is_refused(int limit, string? sort)
    {
        await using var world = await World.CreateAsync(postgres);

        Assert.Equal(FaultKind.Malformed, (await world.Vms.ListAsync(new VmFilter(), new PageRequest(limit, null, sort), CancellationToken.None)).Fault?.Kind);
    }

    [Fact]
    public async Task Devices_page_in_topological_order_over_all_hosts()
    {
        await using var world = await World.CreateAsync(postgres);
        var hosts = new[] { await world.AddHostAsync("hv1"), await world.AddHostAsync("hv2") };
        // Domains above ffff are written with more digits, and still come after those below.
        string[] addresses = ["0000:00:1f.0", "0000:01:00.0", "0000:01:00.1", "10000:00:00.0"];
        foreach (var host in hosts)
        {
            foreach (var address in addresses.Reverse())
                await world.AddDeviceAsync(host.Id, World.Function(address));
        }

        var seen = new List<(HostId, string)>();
        string? token = null;
        do
        {
            var page = (await world.Devices.ListAsync(new DeviceFilter(), new PageRequest(3, token), CancellationToken.None)).Value;
            seen.AddRange(page.Items.Select(d => (d.Host, d.Address.ToString())));
            token = page.NextPageToken;
        }
        while (token is not null);

        Assert.Equal(hosts.OrderBy(h => h.Id.Value.ToString(), StringComparer.Ordinal).SelectMany(h => addresses.Select(a => (h.Id, a))), seen);
    }

    private static async Task<List<VirtualMachine>> AllAsync(World world, VmFilter filter, PageRequest page)
    {
        var all = new List<VirtualMachine>();
        do
        {
            var next = await ListAsync(world, filter, page);
            Assert.True(next.NextPageToken is null || next.Items.Count == page.Limit);
            all.AddRange(next.Items);
            page = page with { Token = next.NextPageToken };
        }
        while (page.Token is not null);
        return all;
    }

    private static async Task<Page<VirtualMachine>> ListAsync(World world, VmFilter filter, PageRequest page) =>
        (await world.Vms.ListAsync(filter, page, CancellationToken.None)).Value;
}

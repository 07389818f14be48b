using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Writing;
using ControlPlane.Testing.Postgres;

namespace ControlPlane.Persistence.Tests;

/// <summary>What a scan may change of a device's row, and what it may not.</summary>
public sealed class DeviceScanTests(MigratedPostgres postgres)
{
    [Fact]
    public async Task A_scan_changes_facts_and_never_ownership_or_flags()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        var device = await world.AddDeviceAsync(host.Id, World.Function("0000:01:00.0", 7));
        var vm = await world.AddVmAsync("one");
        Assert.Null(await world.ClaimAsync(device, vm));

        var seen = device with { Facts = device.Facts with { Driver = "vfio-pci" }, Ownership = DeviceOwnership.HeldByHost, Assignable = false };
        await world.CommitAsync(unit => world.Devices.UpsertFacts(unit, host.Id, [seen], []));

        var now = (await world.Devices.FindAsync(host.Id, device.Address, CancellationToken.None))!;
        Assert.Equal("vfio-pci", now.Facts.Driver);
        Assert.Equal(new DeviceOwnership(DeviceState.Reserved, new DeviceOwner(vm.Id, "net0"), new Generation(1)), now.Ownership);
        Assert.True(now.Assignable);
    }

    [Fact]
    public async Task A_function_that_vanished_and_came_back_goes_on_counting_its_owners()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        var device = await world.AddDeviceAsync(host.Id, World.Function("0000:01:10.0", 7, FunctionKind.Virtual, "0000:01:00.0"));
        Assert.Null(await world.ClaimAsync(device, await world.AddVmAsync("one")));
        var reserved = (await world.Devices.FindAsync(host.Id, device.Address, CancellationToken.None))!;
        await world.CommitAsync(unit => world.Devices.Move(
            unit, host.Id, device.Address, reserved.Ownership, reserved.Ownership with { State = DeviceState.Free, Owner = null }));

        await world.CommitAsync(unit => world.Devices.UpsertFacts(unit, host.Id, [], [device.Address]));
        Assert.False((await world.Devices.FindAsync(host.Id, device.Address, CancellationToken.None))!.Present);
        Assert.Empty((await world.Devices.ListAsync(new DeviceFilter(Host: host.Id), new PageRequest(), CancellationToken.None)).Value.Items);

        await world.CommitAsync(unit => world.Devices.UpsertFacts(unit, host.Id, [device], []));
        var back = (await world.Devices.FindAsync(host.Id, device.Address, CancellationToken.None))!;
        Assert.True(back.Present);
        Assert.Equal(new Generation(1), back.Ownership.Generation);
    }

    [Fact]
    public async Task Groups_that_a_rescan_finds_changed_are_recorded_though_their_devices_are_owned_by_two_VMs()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        var one = await world.AddDeviceAsync(host.Id, World.Function("0000:01:00.0", 1));
        var other = await world.AddDeviceAsync(host.Id, World.Function("0000:02:00.0", 2));
        var third = await world.AddDeviceAsync(host.Id, World.Function("0000:03:00.0", 3));
        Assert.Null(await world.ClaimAsync(one, await world.AddVmAsync("one")));
        Assert.Null(await world.ClaimAsync(other, await world.AddVmAsync("other")));

        // After a change of firmware all three are one group: true, and against the rule.
        var seen = new[] { one, other, third }.Select(d => d with { Facts = d.Facts with { IommuGroup = 1 } }).ToList();
        await world.CommitAsync(unit => world.Devices.UpsertFacts(unit, host.Id, seen, []));

        Assert.All(await world.Devices.ByHostAsync(host.Id, CancellationToken.None), d => Assert.Equal(1, d.Facts.IommuGroup));
        Assert.Equal(WriteFaults.PlacementConflictCode, (await world.ClaimAsync(third, await world.AddVmAsync("third")))?.Code);
    }

    [Fact]
    public async Task A_scan_that_sees_nothing_new_writes_no_row()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        var device = await world.AddDeviceAsync(host.Id, World.Function("0000:01:00.0", 7));
        const string version = "SELECT xmin::text FROM pci_devices";
        var before = await world.ScalarAsync<string>(version);

        await world.CommitAsync(unit => world.Devices.UpsertFacts(unit, host.Id, [device], []));

        Assert.Equal(before, await world.ScalarAsync<string>(version));
    }

    [Fact]
    public async Task A_pool_s_members_by_SQL_are_those_by_its_rule()
    {
        await using var world = await World.CreateAsync(postgres);
        var hosts = new[] { await world.AddHostAsync("hv1"), await world.AddHostAsync("hv2") };
        foreach (var host in hosts)
        {
            await world.AddDeviceAsync(host.Id, World.Function("0000:01:00.0", 1, FunctionKind.Physical));
            await world.AddDeviceAsync(host.Id, World.Function("0000:01:10.0", 2, FunctionKind.Virtual, "0000:01:00.0"));
            await world.AddDeviceAsync(host.Id, World.Function("0000:02:10.0", 3, FunctionKind.Virtual, "0000:02:00.0") with { VendorId = 0x15b3 });
            await world.AddDeviceAsync(host.Id, World.Function("0000:03:00.0", 4) with { ClassCode = 0x030000 });
            await world.AddDeviceAsync(host.Id, World.Function("0000:00:01.0", 5) with { Kind = PciKind.Bridge, ClassCode = 0x060400 });
        }
        PoolMatch[] matches =
        [
            new(), new(VendorId: 0x15b3), new(DeviceId: 0x10ca), new(ClassCode: "02"), new(ClassCode: "0200"), new(ClassCode: "030000"),
            new(ClassCode: "zz"), new(ClassCode: ""), new(Host: hosts[1].Id), new(Address: PciAddress.Parse("0000:01:10.0")),
            new(PhysicalFunction: PciAddress.Parse("0000:02:00.0")), new(VendorId: 0x8086, Host: hosts[0].Id),
        ];
        var all = new List<PciDevice>();
        foreach (var host in hosts)
            all.AddRange(await world.Devices.ByHostAsync(host.Id, CancellationToken.None));

        var pools = matches.Select(m => new[] { m }).Append([]).Append([matches[1], matches[5]])
            .SelectMany(match => new[] { PoolKind.Function, PoolKind.VirtualFunction }, (match, kind) => new DevicePool(
                new PoolId(World.NewId()), "pool", kind, match, null, Generation.None, World.Now, World.Now));
        foreach (var pool in pools)
        {
            var listed = (await world.Devices.ListAsync(new DeviceFilter(Pool: pool), new PageRequest(), CancellationToken.None)).Value.Items;
            Assert.Equal(
                all.Where(d => pool.Contains(d.Host, d.Facts)).Select(d => (d.Host, d.Address)).ToHashSet(), listed.Select(d => (d.Host, d.Address)).ToHashSet());
        }
    }

    [Fact]
    public async Task Devices_are_found_by_each_filter()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        var vm = await world.AddVmAsync("one");
        var wanted = await world.AddDeviceAsync(host.Id, World.Function("0000:01:10.0", 2, FunctionKind.Virtual, "0000:01:00.0") with
        {
            VendorId = 1, DeviceId = 2, ClassCode = 0x010203, NumaNode = 1,
        });
        await world.AddDeviceAsync((await world.AddHostAsync("hv2")).Id, World.Function("0000:00:00.0") with { Kind = PciKind.HostBridge });
        Assert.Null(await world.ClaimAsync(wanted, vm));

        DeviceFilter[] filters =
        [
            new(Host: host.Id), new(Vm: vm.Id), new(VendorId: 1), new(DeviceId: 2), new(ClassCode: "0102"), new(Kind: PciKind.Endpoint),
            new(Function: FunctionKind.Virtual), new(State: DeviceState.Reserved), new(NumaNode: 1),
        ];
        foreach (var filter in filters)
        {
            var page = await world.Devices.ListAsync(filter, new PageRequest(), CancellationToken.None);
            Assert.Equal(wanted.Address, Assert.Single(page.Value.Items).Address);
        }
    }

    [Fact]
    public async Task A_host_goes_with_its_devices_unless_one_is_owned()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        var device = await world.AddDeviceAsync(host.Id, World.Function("0000:01:00.0"));
        var vm = await world.AddVmAsync("one");
        Assert.Null(await world.ClaimAsync(device, vm));

        Assert.Equal(WriteFaults.InUseCode, (await RemoveAsync())?.Code);
        var owned = (await world.Devices.FindAsync(host.Id, device.Address, CancellationToken.None))!;
        await world.CommitAsync(unit => world.Devices.Move(
            unit, host.Id, device.Address, owned.Ownership, owned.Ownership with { State = DeviceState.Free, Owner = null }));
        Assert.Null(await RemoveAsync());
        Assert.Empty(await world.Devices.ByHostAsync(host.Id, CancellationToken.None));

        Task<Fault?> RemoveAsync() => world.TryCommitAsync(unit =>
        {
            world.Devices.Forget(unit, host.Id);
            world.Usage.ForgetHost(unit, host.Id);
            world.Hosts.Delete(unit, host.Id, host.Generation);
        });
    }
}

using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Writing;
using ControlPlane.Testing.Postgres;

namespace ControlPlane.Persistence.Tests;

/// <summary>What the database refuses, whoever asks: each rule is attacked through the stores, and where that cannot reach it, by SQL.</summary>
public sealed class ConstraintTests(MigratedPostgres postgres)
{
    [Fact]
    public async Task Two_devices_of_one_IOMMU_group_never_go_to_two_VMs()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        var (one, other) = (await world.AddVmAsync("one"), await world.AddVmAsync("other"));
        var first = await world.AddDeviceAsync(host.Id, World.Function("0000:01:00.0", iommuGroup: 7));
        var second = await world.AddDeviceAsync(host.Id, World.Function("0000:01:00.1", iommuGroup: 7));

        Assert.Null(await world.ClaimAsync(first, one));
        Assert.Equal(WriteFaults.PlacementConflictCode, (await world.ClaimAsync(second, other))?.Code);
        Assert.Null(await world.ClaimAsync(second, one, "acc0"));
    }

    [Fact]
    public async Task A_group_with_a_host_critical_member_is_never_given_out()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        var vm = await world.AddVmAsync("one");
        await world.AddDeviceAsync(host.Id, World.Function("0000:01:00.0", iommuGroup: 7), hostCritical: true);
        var beside = await world.AddDeviceAsync(host.Id, World.Function("0000:01:00.1", iommuGroup: 7));

        Assert.Equal(WriteFaults.PlacementConflictCode, (await world.ClaimAsync(beside, vm))?.Code);
    }

    [Fact]
    public async Task A_device_that_becomes_host_critical_while_its_group_is_owned_is_refused()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        var vm = await world.AddVmAsync("one");
        var owned = await world.AddDeviceAsync(host.Id, World.Function("0000:01:00.0", iommuGroup: 7));
        var beside = await world.AddDeviceAsync(host.Id, World.Function("0000:01:00.1", iommuGroup: 7));
        Assert.Null(await world.ClaimAsync(owned, vm));

        Assert.NotNull(await world.TryCommitAsync(unit => world.Devices.SetFlags(unit, beside with { HostCritical = true })));
    }

    [Theory]
    [InlineData("0000:01:00.0", "0000:01:10.0")]
    [InlineData("0000:01:10.0", "0000:01:00.0")]
    public async Task A_physical_function_and_its_virtual_ones_exclude_each_other(string first, string second)
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        var (one, other) = (await world.AddVmAsync("one"), await world.AddVmAsync("other"));
        var devices = new Dictionary<string, PciDevice>
        {
            ["0000:01:00.0"] = await world.AddDeviceAsync(host.Id, World.Function("0000:01:00.0", 1, FunctionKind.Physical)),
            ["0000:01:10.0"] = await world.AddDeviceAsync(host.Id, World.Function("0000:01:10.0", 2, FunctionKind.Virtual, "0000:01:00.0")),
        };

        Assert.Null(await world.ClaimAsync(devices[first], one));
        Assert.Equal(WriteFaults.PlacementConflictCode, (await world.ClaimAsync(devices[second], other))?.Code);
    }

    [Fact]
    public async Task Virtual_functions_of_one_physical_function_go_to_different_VMs()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        for (var i = 0; i < 4; i++)
        {
            var function = await world.AddDeviceAsync(host.Id, World.Function($"0000:01:10.{i}", 10 + i, FunctionKind.Virtual, "0000:01:00.0"));
            Assert.Null(await world.ClaimAsync(function, await world.AddVmAsync($"vm-{i}")));
        }
    }

    [Theory]
    [InlineData("assignable = false")]
    [InlineData("present = false")]
    [InlineData("state = 'host'")]
    [InlineData("generation = 1")]
    public async Task A_device_that_is_not_to_be_had_is_not_claimed(string change)
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        var vm = await world.AddVmAsync("one");
        var device = await world.AddDeviceAsync(host.Id, World.Function("0000:01:00.0"));
        Assert.Null(await world.AttackAsync($"UPDATE pci_devices SET {change}"));

        Assert.Equal(WriteFaults.PlacementConflictCode, (await world.ClaimAsync(device, vm))?.Code);
        Assert.Null((await world.Devices.FindAsync(host.Id, device.Address, CancellationToken.None))!.Ownership.Owner);
    }

    [Theory]
    [InlineData("state = 'attached'", "ck_pci_devices_ownership")]
    [InlineData("state = 'quarantined'", "ck_pci_devices_ownership")]
    [InlineData("state = 'lost'", "ck_pci_devices_ownership")]
    [InlineData("owner_name = 'net0'", "ck_pci_devices_owner")]
    [InlineData("owner_companion = true", "ck_pci_devices_owner")]
    [InlineData("owner_vm_id = gen_random_uuid(), owner_name = 'net0', state = 'reserved'", "fk_pci_devices_virtual_machines_owner_vm_id")]
    [InlineData("generation = -1", "ck_pci_devices_generation")]
    public async Task A_device_row_that_contradicts_itself_cannot_be_written(string change, string constraint)
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        await world.AddDeviceAsync(host.Id, World.Function("0000:01:00.0"));

        Assert.Equal(constraint, (await world.AttackAsync($"UPDATE pci_devices SET {change}"))?.ConstraintName);
    }

    [Fact]
    public async Task An_owned_device_cannot_be_host_critical()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        var device = await world.AddDeviceAsync(host.Id, World.Function("0000:01:00.0"));
        Assert.Null(await world.ClaimAsync(device, await world.AddVmAsync("one")));

        Assert.Equal("ck_pci_devices_host_critical", (await world.AttackAsync("UPDATE pci_devices SET host_critical = true"))?.ConstraintName);
    }

    [Theory]
    [InlineData(5, 0, 0, 0)]
    [InlineData(0, 5000, 0, 0)]
    [InlineData(0, 0, 5, 0)]
    [InlineData(0, 0, 0, 5)]
    public async Task Nothing_of_a_host_is_oversold(int vcpus, long memoryMiB, int hugepages2MiB, int hugepages1GiB)
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync(sellable: new HostShare(8, 8000, 8, 8));
        var share = new HostShare(vcpus, memoryMiB, hugepages2MiB, hugepages1GiB);
        var (one, other) = (await world.AddVmAsync("one", host.Id), await world.AddVmAsync("other", host.Id));

        Assert.Null(await AllocateAsync(world, new HostAllocation(one.Id, host.Id, world.Project.Id, share)));
        Assert.Equal(
            WriteFaults.PlacementConflictCode, (await AllocateAsync(world, new HostAllocation(other.Id, host.Id, world.Project.Id, share)))?.Code);

        await world.CommitAsync(unit => world.Usage.Release(unit, one.Id, host.Id));
        await world.CommitAsync(unit => world.Usage.Release(unit, one.Id, host.Id));
        Assert.Equal(HostShare.None, (await world.Usage.FindAsync(host.Id, CancellationToken.None))!.Sold);
        Assert.Null(await AllocateAsync(world, new HostAllocation(other.Id, host.Id, world.Project.Id, share)));
    }

    [Fact]
    public async Task A_host_that_shrank_sells_nothing_until_enough_came_back()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync(sellable: new HostShare(8, 8000));
        var vms = new[] { await world.AddVmAsync("a"), await world.AddVmAsync("b"), await world.AddVmAsync("c") };
        await world.CommitAsync(unit => world.Usage.Allocate(unit, new HostAllocation(vms[0].Id, host.Id, world.Project.Id, new HostShare(4, 1000))));
        await world.CommitAsync(unit => world.Usage.Allocate(unit, new HostAllocation(vms[1].Id, host.Id, world.Project.Id, new HostShare(2, 1000))));

        await world.CommitAsync(unit => world.Usage.SetSellable(unit, host.Id, new HostShare(3, 8000)));
        var one = new HostAllocation(vms[2].Id, host.Id, world.Project.Id, new HostShare(1, 1));
        Assert.Equal(WriteFaults.PlacementConflictCode, (await AllocateAsync(world, one))?.Code);
        Assert.Equal(new HostShare(6, 2000), (await world.Usage.FindAsync(host.Id, CancellationToken.None))!.Sold);

        await world.CommitAsync(unit => world.Usage.Release(unit, vms[0].Id, host.Id));
        Assert.Null(await AllocateAsync(world, one));
        var last = new HostAllocation(vms[0].Id, host.Id, world.Project.Id, new HostShare(1, 1));
        Assert.Equal(WriteFaults.PlacementConflictCode, (await AllocateAsync(world, last))?.Code);
    }

    [Fact]
    public async Task A_hard_spread_group_has_one_member_on_a_host_also_when_many_come_at_once()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        var vms = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => world.AddVmAsync($"web-{i}")));

        var answers = await Task.WhenAll(vms.Select(vm => AllocateAsync(
            world, new HostAllocation(vm.Id, host.Id, world.Project.Id, new HostShare(1, 1), "web", HardSpread: true))));

        Assert.Single(answers, fault => fault is null);
        Assert.All(answers.OfType<Fault>(), fault => Assert.Equal(WriteFaults.PlacementConflictCode, fault.Code));
        Assert.Equal(1, (await world.Usage.FindAsync(host.Id, CancellationToken.None))!.Sold.Vcpus);
    }

    [Fact]
    public async Task A_MAC_address_is_one_interface_s()
    {
        await using var world = await World.CreateAsync(postgres);
        var mac = MacAddress.Parse("52:54:00:00:00:01");
        var (one, other) = (await world.AddVmAsync("one"), await world.AddVmAsync("other"));

        Assert.Null(await world.TryCommitAsync(unit => world.Usage.AddMac(unit, mac, one.Id, "net0", world.Network.Id)));
        Assert.Equal(
            WriteFaults.MacInUseCode, (await world.TryCommitAsync(unit => world.Usage.AddMac(unit, mac, other.Id, "net0", world.Network.Id)))?.Code);

        await world.CommitAsync(unit => world.Usage.RemoveMacs(unit, one.Id));
        Assert.Null(await world.TryCommitAsync(unit => world.Usage.AddMac(unit, mac, other.Id, "net0", world.Network.Id)));
    }

    [Theory]
    [InlineData("UPDATE virtual_machines SET state = 'odd'", "ck_virtual_machines_state")]
    [InlineData("UPDATE virtual_machines SET generation = -1", "ck_virtual_machines_generation")]
    [InlineData("UPDATE hosts SET state = 'odd'", "ck_hosts_state")]
    [InlineData("UPDATE hosts SET generation = -1", "ck_hosts_generation")]
    [InlineData("UPDATE project_usage SET vms = -1", "ck_project_usage_not_negative")]
    [InlineData("UPDATE host_allocations SET vcpus = -1", "ck_host_allocations_share")]
    [InlineData("UPDATE host_allocations SET hard_spread = true", "ck_host_allocations_hard_spread")]
    public async Task Rows_that_make_no_sense_cannot_be_written(string attack, string constraint)
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        var vm = await world.AddVmAsync("one", host.Id);
        Assert.Null(await AllocateAsync(world, new HostAllocation(vm.Id, host.Id, world.Project.Id, new HostShare(1, 1))));

        Assert.Equal(constraint, (await world.AttackAsync(attack))?.ConstraintName);
    }

    private static Task<Fault?> AllocateAsync(World world, HostAllocation allocation) =>
        world.TryCommitAsync(unit => world.Usage.Allocate(unit, allocation));
}

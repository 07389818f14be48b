using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.Projects;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Persistence.Audit;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Inventories;
using ControlPlane.Persistence.Migrations;
using ControlPlane.Persistence.Networks;
using ControlPlane.Persistence.Operations;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.Projects;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Persistence.Writing;
using ControlPlane.Testing.Postgres;

namespace ControlPlane.Persistence.Tests;

/// <summary>What is written is what is read, to the last field, with every field set to something.</summary>
public sealed class RoundTripTests(MigratedPostgres postgres)
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_host_comes_back_as_it_was_written_and_as_it_was_changed()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = world.NewHost("hv1") with
        {
            Backend = new HostBackend(BackendKind.Libvirt, null, "qemu+tls://hv1/system"),
            State = HostState.Draining,
            StateReason = "drained by hand",
            Capacity = new HostCapacity(8, 16384, 512, 2, [new NumaCell(0, 4, 8192, 256, 1), new NumaCell(1, 4, 8192, 256, 1)]),
            Cpu = new CpuModel("GenuineIntel", "Xeon", ["vmx", "avx2"]),
            CpuRatio = 1.5,
            Cordoned = true,
            Operation = new OperationId(World.NewId()),
            LastSeenAt = World.Now,
        };
        await world.CommitAsync(unit => world.Hosts.Insert(unit, host));
        AssertSame(host, await world.Hosts.FindAsync(host.Id, None));
        AssertSame(host, await world.Hosts.FindByNameAsync("hv1", None));

        var changed = host with { State = HostState.Up, StateReason = null, Operation = null, Generation = host.Generation.Next() };
        await world.CommitAsync(unit => world.Hosts.Update(unit, changed, host.Generation));
        await world.CommitAsync(unit => world.Hosts.RecordSeen(unit, host.Id, World.Now.AddMinutes(1)));
        await world.CommitAsync(unit => world.Hosts.RecordSeen(unit, host.Id, World.Now));
        AssertSame(changed with { LastSeenAt = World.Now.AddMinutes(1) }, Assert.Single(await world.Hosts.AllAsync(None)));
        Assert.Equal(WriteFaults.ChangedMeanwhileCode, (await world.TryCommitAsync(unit => world.Hosts.Update(unit, changed, host.Generation)))?.Code);
    }

    [Fact]
    public async Task A_VM_comes_back_as_it_was_written_and_as_it_was_changed()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        var pool = new PoolId(World.NewId());
        var vm = world.NewVm("web-1", host.Id) with
        {
            Spec = new VmSpec(
                4, 4096, HugepageSize.Size2MiB, "tiny", [new DiskSpec("root", 10)],
                [new InterfaceSpec("net0", world.Network.Id, AttachKind.Vf, MacAddress.Parse("52:54:00:00:00:01"))],
                [new DeviceRequestSpec("acc0", pool, 2)], NumaPolicy.Required, DeviceSpread.DistinctPhysicalFunctions,
                new PlacementSpec(host.Id, new Dictionary<string, string> { ["zone"] = "a" }, "web", GroupPolicy.HardSpread),
                new Dictionary<string, string> { ["tier"] = "web" }),
            Interfaces = [new VmInterface("net0", world.Network.Id, AttachKind.Vf, MacAddress.Parse("52:54:00:00:00:01"), PciAddress.Parse("0000:01:00.0"), true)],
            Attachments = [new DeviceAttachment("net0", "net0", PciAddress.Parse("10000:41:10.2"), PciAddress.Parse("0000:02:00.0"), new Generation(7), true)],
            Conditions = [new Condition("degraded-interface", true, "the function is away", World.Now)],
            Operation = new OperationId(World.NewId()),
        };
        await world.CommitAsync(unit => world.Vms.Insert(unit, vm));
        AssertSame(vm, await world.Vms.FindAsync(vm.Id, None));
        AssertSame(vm, Assert.Single(await world.Vms.ByHostAsync(host.Id, None)));

        var changed = vm with { State = VmState.Failed, Host = null, Operation = null, Attachments = [], Generation = vm.Generation.Next() };
        await world.CommitAsync(unit => world.Vms.Update(unit, changed, vm.Generation));
        AssertSame(changed, await world.Vms.FindByNameAsync(world.Project.Id, "web-1", None));
        Assert.Null(await world.Vms.FindByNameAsync(new ProjectId(World.NewId()), "web-1", None));

        await world.CommitAsync(unit => world.Vms.Delete(unit, vm.Id, changed.Generation));
        Assert.Null(await world.Vms.FindAsync(vm.Id, None));
    }

    [Fact]
    public async Task A_device_comes_back_through_all_its_moves()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        var vm = await world.AddVmAsync("one");
        var facts = World.Function("0000:01:00.0", 7, FunctionKind.Physical) with
        {
            SubsystemVendorId = 1,
            SubsystemDeviceId = 2,
            Revision = 3,
            Driver = "igb",
            NumaNode = 1,
            Parent = PciAddress.Parse("0000:00:01.0"),
            Sriov = new SriovCapability(8, 4, 0x10ca, 128, 2),
            Link = new PciLink(2.5, 4, 5, 8),
            Interrupts = new PciInterrupts(1, 10),
            Acs = true,
            MigrationFirmware = "1.2",
        };
        var device = await world.AddDeviceAsync(host.Id, facts);
        AssertSame(device, await world.Devices.FindAsync(host.Id, device.Address, None));

        var owner = new DeviceOwner(vm.Id, "net0");
        Assert.Null(await world.ClaimAsync(device, vm));
        var claim = new Generation(1);
        DeviceCommand[] moves =
        [
            new DeviceCommand.Attach(vm.Id, claim), new DeviceCommand.Drain(vm.Id, claim), new DeviceCommand.Clean(vm.Id, claim),
            new DeviceCommand.Quarantine(claim, "reset failed"), new DeviceCommand.ReleaseQuarantine(), new DeviceCommand.ProveClean(claim.Next()),
        ];
        var ownership = device.Ownership.Apply(new DeviceCommand.Reserve(owner)).Value;
        foreach (var move in moves)
        {
            var next = ownership.Apply(move).Value;
            await world.CommitAsync(unit => world.Devices.Move(unit, host.Id, device.Address, ownership, next));
            Assert.NotNull(await world.TryCommitAsync(unit => world.Devices.Move(unit, host.Id, device.Address, ownership, next)));
            ownership = next;
            AssertSame(device with { Ownership = ownership }, Assert.Single(await world.Devices.ByHostAsync(host.Id, None)));
        }
        Assert.Empty(await world.Devices.ByVmAsync(vm.Id, None));
    }

    [Fact]
    public async Task What_hangs_together_for_placement_is_read_in_one_moment()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync(sellable: new HostShare(8, 8000));
        var vm = await world.AddVmAsync("one", host.Id);
        var device = await world.AddDeviceAsync(host.Id, World.Function("0000:01:00.0"));
        var pool = new DevicePool(new PoolId(World.NewId()), "fast", PoolKind.Function, [new PoolMatch(0x8086, null, "02", host.Id)], "wire", Generation.None, World.Now, World.Now);
        var allocation = new HostAllocation(
            vm.Id, host.Id, world.Project.Id, new HostShare(2, 2048, 1, 0), "web", true, [new CellAllocation(1, new HostShare(2, 2048))]);
        await world.CommitAsync(unit => world.Usage.SetSellable(unit, host.Id, new HostShare(8, 8000, 1)));
        await world.CommitAsync(unit =>
        {
            world.Get<DevicePoolStore>().Insert(unit, pool);
            world.Usage.Allocate(unit, allocation);
        });

        var fleet = await world.Get<FleetReader>().ReadAsync(None);

        AssertSame(host, Assert.Single(fleet.Hosts));
        AssertSame(new HostUsage(host.Id, allocation.Share, new HostShare(8, 8000, 1)), Assert.Single(fleet.Usage));
        AssertSame(device, Assert.Single(fleet.Devices));
        AssertSame(pool, Assert.Single(fleet.Pools));
        AssertSame(allocation, Assert.Single(fleet.Allocations));
        AssertSame(allocation, Assert.Single(await world.Usage.AllocationsAsync(vm.Id, None)));
    }

    [Fact]
    public async Task Projects_tokens_networks_and_pools_come_back()
    {
        await using var world = await World.CreateAsync(postgres);
        var pool = new DevicePool(
            new PoolId(World.NewId()), "fast", PoolKind.VirtualFunction, [new PoolMatch(PhysicalFunction: PciAddress.Parse("0000:41:00.0"))], "wire",
            Generation.None, World.Now, World.Now);
        var network = new Network(new NetworkId(World.NewId()), "prod", "wire", 100, 9000, Generation.None, World.Now, World.Now);
        var project = new Project(
            new ProjectId(World.NewId()), "ci", new Quota(1, 2, 3, new Dictionary<PoolId, int> { [pool.Id] = 4 }), Generation.None, World.Now, World.Now);
        var token = new Token(new TokenId(World.NewId()), "bot", Role.Member, project.Id, [1, 2, 3], World.Now.AddDays(1), World.Now, null);
        await world.CommitAsync(unit =>
        {
            world.Get<DevicePoolStore>().Insert(unit, pool);
            world.Get<NetworkStore>().Insert(unit, network);
            world.Get<ProjectStore>().Insert(unit, project);
            world.Get<TokenStore>().Insert(unit, token);
        });

        AssertSame(pool, await world.Get<DevicePoolStore>().FindByNameAsync("fast", None));
        AssertSame(network, await world.Get<NetworkStore>().FindByNameAsync("prod", None));
        AssertSame(project, await world.Get<ProjectStore>().FindByNameAsync("ci", None));
        AssertSame(token, await world.Get<TokenStore>().FindByHashAsync([1, 2, 3], None));
        Assert.Null(await world.Get<TokenStore>().FindByHashAsync([1, 2, 4], None));

        await world.CommitAsync(unit => world.Get<TokenStore>().Revoke(unit, token.Id, World.Now.AddHours(1)));
        await world.CommitAsync(unit => world.Get<TokenStore>().Revoke(unit, token.Id, World.Now.AddHours(2)));
        AssertSame(token with { RevokedAt = World.Now.AddHours(1) }, await world.Get<TokenStore>().FindAsync(token.Id, None));
        Assert.Empty((await world.Get<TokenStore>().ListAsync(new TokenFilter(), new PageRequest(), None)).Value.Items);

        Assert.Equal(WriteFaults.InUseCode, (await world.TryCommitAsync(unit => world.Get<ProjectStore>().Delete(unit, project.Id, project.Generation)))?.Code);
        Assert.Null(await world.TryCommitAsync(unit => world.Get<NetworkStore>().Delete(unit, network.Id, network.Generation)));
        Assert.Null(await world.Get<NetworkStore>().FindAsync(network.Id, None));
    }

    [Fact]
    public async Task A_migration_comes_back_and_a_second_one_waits_for_its_end()
    {
        await using var world = await World.CreateAsync(postgres);
        var (source, target) = (new HostId(World.NewId()), new HostId(World.NewId()));
        var vm = new VmId(World.NewId());
        var migration = new Migration(
            new MigrationId(World.NewId()), vm, world.Project.Id, source, target, MigrationState.Running, new OperationId(World.NewId()),
            MigrationRequest.Default with { DeviceMethod = DeviceMethod.Failover, MaxInterfaceGap = TimeSpan.FromMilliseconds(500) },
            [
                new MigratedDevice(
                    "net0", DeviceMethod.Failover, PciAddress.Parse("0000:01:10.0"), null, PciAddress.Parse("0000:02:00.0"), null,
                    MacAddress.Parse("52:54:00:00:00:01"), null, TimeSpan.FromMilliseconds(12), null, null),
            ],
            new MigrationTransfer(3, 100, 200, 1.5, TimeSpan.FromMilliseconds(30)),
            new MigrationEstimate(TimeSpan.FromMilliseconds(40), new Dictionary<string, TimeSpan> { ["net0"] = TimeSpan.FromMilliseconds(5) }, TimeSpan.FromSeconds(9)),
            null, Generation.None, World.Now, null);
        var store = world.Get<MigrationStore>();
        await world.CommitAsync(unit => store.Insert(unit, migration));
        AssertSame(migration, await store.FindActiveAsync(vm, None));

        var second = migration with { Id = new MigrationId(World.NewId()) };
        Assert.Equal(WriteFaults.MigrationActiveCode, (await world.TryCommitAsync(unit => store.Insert(unit, second)))?.Code);

        var ended = migration with { State = MigrationState.RolledBack, Failure = "the guest refused", EndedAt = World.Now, Generation = migration.Generation.Next() };
        await world.CommitAsync(unit => store.Update(unit, ended, migration.Generation));
        Assert.Null(await world.TryCommitAsync(unit => store.Insert(unit, second)));
        AssertSame(ended, await store.FindAsync(migration.Id, None));
        foreach (var host in new[] { source, target })
            Assert.Equal(2, (await store.ListAsync(new MigrationFilter(Host: host), new PageRequest(), None)).Value.Items.Count);
    }

    [Fact]
    public async Task An_operation_ends_once()
    {
        await using var world = await World.CreateAsync(postgres);
        var store = world.Get<OperationStore>();
        var operation = new Operation(
            new OperationId(World.NewId()), "vm.create", OperationState.Running, new OperationTarget("vm", World.NewId()), world.Project.Id, null, null, World.Now, null);
        await world.CommitAsync(unit => store.Insert(unit, operation));

        var failed = operation with { State = OperationState.Failed, ErrorCode = "no-image", Error = "There is no such image.", EndedAt = World.Now };
        await world.CommitAsync(unit => store.Update(unit, failed));
        Assert.NotNull(await world.TryCommitAsync(unit => store.Update(unit, failed with { State = OperationState.Succeeded })));

        AssertSame(failed, await store.FindAsync(operation.Id, None));
        AssertSame(failed, Assert.Single((await store.ListAsync(new OperationFilter(Target: operation.Target.Id), new PageRequest(), None)).Value.Items));
    }

    [Fact]
    public async Task An_uploaded_inventory_comes_back_and_its_list_is_light()
    {
        await using var world = await World.CreateAsync(postgres);
        var store = world.Get<InventoryStore>();
        var inventory = new StoredInventory(
            new InventoryId(World.NewId()), "server-1", new InventorySource("00:00.0 {Host} bridge", null, "CPU(s): 4", ["<device/>"], null),
            new HostInventory(new HostCapacity(4, 8192, 0, 0, []), new CpuModel("v", "n", []), [World.Function("0000:01:00.0")]),
            [new InventoryNote("lspci", 3, "cut off")], World.Now);
        await world.CommitAsync(unit => store.Insert(unit, inventory));

        AssertSame(inventory, await store.FindByNameAsync("server-1", None));
        AssertSame(
            new InventorySummary(inventory.Id, "server-1", 1, 1, World.Now),
            Assert.Single((await store.ListAsync("server-1", new PageRequest(), None)).Value.Items));
    }

    [Fact]
    public async Task An_audit_entry_comes_back_under_each_of_its_filters()
    {
        await using var world = await World.CreateAsync(postgres);
        var entry = new AuditEntry(
            World.NewId(), World.Now, new TokenId(World.NewId()), "bot", "::1", "POST", "CreateVirtualMachine", "/api/v1/vms", world.Project.Id, 409, "name-taken", "t1");
        await world.CommitAsync(unit => world.Get<AuditStore>().Append(unit, entry));

        AuditFilter[] fitting =
        [
            new(), new(Project: world.Project.Id), new(Token: entry.Token), new(Action: entry.Action), new(Target: entry.Target),
            new(From: World.Now, Until: World.Now.AddTicks(10)),
        ];
        foreach (var filter in fitting)
            AssertSame(entry, Assert.Single((await world.Get<AuditStore>().ListAsync(filter, new PageRequest(), None)).Value.Items));
        Assert.Empty((await world.Get<AuditStore>().ListAsync(new AuditFilter(Until: World.Now), new PageRequest(), None)).Value.Items);
        Assert.Equal(1, await world.Get<AuditStore>().DeleteBeforeAsync(World.Now.AddDays(1), 10, None));
    }

    private static void AssertSame<T>(T expected, T? actual) => Assert.Equal(StoredJson.Write(expected), StoredJson.Write(actual));
}

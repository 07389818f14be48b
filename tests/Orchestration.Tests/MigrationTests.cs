using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Domain;
using ControlPlane.Orchestration.Migrations;
using ControlPlane.Orchestration.Operations;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Migrations;
using ControlPlane.Persistence.Pci;
using ControlPlane.Testing;

namespace ControlPlane.Orchestration.Tests;

public sealed class MigrationTests
{
    private static readonly MigrationRequest Impatient = MigrationRequest.Default with { UnplugTimeout = TimeSpan.FromSeconds(1) };

    [Fact]
    public async Task A_vm_moves_with_its_mac_its_guest_address_and_an_equal_function()
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await (await (await world.StartProcessAsync()).RunAsync()).WithFleetAsync();
        var before = await process.RunVmAsync(process.Draft("web-1", AttachKind.Failover, drives: 1));
        var sourceDevices = await process.OwnedAsync(before.Id);

        var (migration, operation) = await MigrateAsync(process, before.Id);

        Assert.Equal((OperationState.Succeeded, MigrationState.Succeeded, null), (operation.State, migration.State, migration.Failure));
        var after = await process.VmAsync(before.Id);
        Assert.Equal((VmState.Running, migration.Target), (after.State, after.Host));
        Assert.NotEqual(before.Host, after.Host);
        Assert.Equal(before.Interfaces.Select(i => (i.Name, i.Mac, i.VirtioAddress)), after.Interfaces.Select(i => (i.Name, i.Mac, i.VirtioAddress)));
        Assert.Equal(before.Attachments.Select(a => (a.Name, a.GuestAddress)), after.Attachments.Select(a => (a.Name, a.GuestAddress)));
        Assert.All(after.Attachments, a => Assert.True(a.Plugged));
        Assert.All(migration.Devices, d => Assert.Equal((d.GuestAddressBefore, d.MacBefore), (d.GuestAddressAfter!.Value, d.MacAfter)));
        Assert.Equal([DeviceMethod.Failover, DeviceMethod.Replug], migration.Devices.Select(d => d.Method));
        foreach (var device in sourceDevices)
            Assert.Equal(DeviceState.Free, (await process.Get<DeviceStore>().FindAsync(device.Host, device.Address, default))!.Ownership.State);
    }

    [Theory]
    [InlineData("ignore", "unplug-timed-out")]
    [InlineData("refuse", "guest-refused-unplug")]
    public async Task A_guest_that_does_not_let_go_keeps_running_on_the_source_with_all_its_devices(string behaviour, string code)
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await (await (await world.StartProcessAsync()).RunAsync()).WithFleetAsync();
        var vm = await process.RunVmAsync(Labelled(process.Draft("web-1", AttachKind.Failover, drives: 1), "emulator.unplug", behaviour));
        var before = await WorldDump.OfAsync(world, process);

        var (migration, operation) = await MigrateAsync(process, vm.Id, Impatient);

        Assert.Equal((OperationState.Failed, code), (operation.State, operation.ErrorCode));
        Assert.Equal(MigrationState.RolledBack, migration.State);
        Assert.Equal(before, await WorldDump.OfAsync(world, process));
    }

    [Theory]
    [InlineData("copy")]
    [InlineData("switch-over")]
    public async Task A_target_that_dies_before_it_runs_the_guest_leaves_the_vm_on_the_source_with_its_devices(string moment)
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await (await (await world.StartProcessAsync()).RunAsync()).WithFleetAsync();
        var vm = await process.RunVmAsync(Labelled(process.Draft("web-1", AttachKind.Failover), "emulator.crash-target-at", moment));

        var (migration, operation) = await MigrateAsync(process, vm.Id);

        Assert.Equal((OperationState.Failed, MigrationState.RolledBack), (operation.State, migration.State));
        var after = await process.VmAsync(vm.Id);
        Assert.Equal((VmState.Running, vm.Host), (after.State, after.Host));
        Assert.Equal(vm.Attachments, after.Attachments);
        Assert.Empty(after.Conditions);
        var domain = await DomainAsync(world, process, vm.Host!.Value, vm.Id);
        Assert.Equal((Hypervisor.DomainState.Running, "net0"), (domain!.State, Assert.Single(domain.Devices).Name));
        // The dead host could not prove anything: what was reserved there stays the VM's, so that nobody else gets it unproven.
        Assert.All(await process.OwnedAsync(vm.Id), d => Assert.True(d.Host == vm.Host || d.Ownership.State == DeviceState.Draining));
    }

    [Fact]
    public async Task A_target_that_dies_with_the_guest_on_it_frees_the_source_and_says_what_happened()
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await (await (await world.StartProcessAsync()).RunAsync()).WithFleetAsync();
        var vm = await process.RunVmAsync(Labelled(process.Draft("web-1", AttachKind.Failover), "emulator.crash-target-at", "after-switch-over"));

        var (migration, operation) = await MigrateAsync(process, vm.Id);

        Assert.Equal((OperationState.Failed, MigrationState.Stuck), (operation.State, migration.State));
        Assert.Contains("does not answer", operation.Error);
        var after = await process.VmAsync(vm.Id);
        Assert.Equal((migration.Target, null), (after.Host, after.Operation));
        Assert.Null(await DomainAsync(world, process, vm.Host!.Value, vm.Id));
        Assert.All(await process.OwnedAsync(vm.Id), d => Assert.Equal(migration.Target, d.Host));
    }

    [Fact]
    public async Task The_standby_carries_the_traffic_from_the_unplug_until_the_new_functions_driver_is_ready()
    {
        var timings = Hypervisor.Emulated.Guests.GuestTimings.Realistic with { Boot = TimeSpan.Zero };
        await using var world = await ControlPlaneWorld.CreateAsync(
            emulation: new Hypervisor.Emulated.EmulationOptions { Guest = timings, Host = Hypervisor.Emulated.Hosts.HostTimings.Instant });
        await using var process = await (await (await world.StartProcessAsync()).RunAsync()).WithFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Failover));

        var (migration, _) = await MigrateAsync(process, vm.Id);

        Assert.Equal(MigrationState.Succeeded, migration.State);
        var device = Assert.Single(migration.Devices);
        Assert.True(device.Unplug >= timings.UnplugAcknowledge, $"{device}");
        Assert.True(device.Gap < timings.UnplugAcknowledge && device.Gap < timings.DriverProbe, $"{device}");
    }

    [Fact]
    public async Task A_guest_that_dirties_memory_faster_than_the_wire_is_given_up_in_time_and_runs_on()
    {
        var slow = new Hypervisor.Emulated.EmulationOptions
        {
            Guest = Hypervisor.Emulated.Guests.GuestTimings.Instant, Host = Hypervisor.Emulated.Hosts.HostTimings.Instant, LinkMiBPerSecond = 8,
        };
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: slow);
        await using var process = await (await (await world.StartProcessAsync()).RunAsync()).WithFleetAsync();
        var vm = await process.RunVmAsync(Labelled(process.Draft("web-1", AttachKind.Failover), "emulator.dirty-mib-per-second", "4000"));
        var before = await WorldDump.OfAsync(world, process);

        var (migration, operation) = await MigrateAsync(
            process, vm.Id, MigrationRequest.Default with { Timeout = TimeSpan.FromSeconds(3), DowntimeLimit = TimeSpan.FromMilliseconds(1) });

        Assert.Equal((OperationState.Failed, "timed-out"), (operation.State, operation.ErrorCode));
        Assert.Equal(MigrationState.RolledBack, migration.State);
        Assert.Equal(before, await WorldDump.OfAsync(world, process));
    }

    [Fact]
    public async Task A_migration_that_is_cancelled_while_it_copies_is_taken_back_whole()
    {
        var slow = new Hypervisor.Emulated.EmulationOptions
        {
            Guest = Hypervisor.Emulated.Guests.GuestTimings.Instant, Host = Hypervisor.Emulated.Hosts.HostTimings.Instant, LinkMiBPerSecond = 1,
        };
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: slow);
        await using var process = await (await (await world.StartProcessAsync()).RunAsync()).WithFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Failover, drives: 1));
        var before = await WorldDump.OfAsync(world, process);
        var begun = await process.AskAsync((MigrateVirtualMachineHandler h) =>
            h.HandleAsync(new MigrateVirtualMachine(vm.Id, null, MigrationRequest.Default), default));
        Assert.Null(begun.Fault);

        var cancelled = await process.AskAsync((CancelMigrationHandler h) => h.HandleAsync(new CancelMigration(begun.Value.Id), default));

        Assert.Null(cancelled.Fault);
        Assert.Equal(OperationState.Cancelled, (await process.EndAsync(begun.Value.Operation)).State);
        Assert.Equal(MigrationState.Cancelled, (await process.Get<MigrationStore>().FindAsync(begun.Value.Id, default))!.State);
        Assert.Equal(before, await WorldDump.OfAsync(world, process));
    }

    [Fact]
    public async Task A_function_that_fails_its_reset_on_the_way_home_is_quarantined_and_never_handed_out()
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await (await world.StartProcessAsync()).RunAsync();
        await process.WithFleetAsync(hosts: 0);
        await process.AddHostAsync("hv1", "numa", new Dictionary<string, string> { ["emulator.reset"] = "fail" });
        await process.AddHostAsync("hv2", "numa");
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Failover, host: "hv1"));
        var held = Assert.Single(await process.OwnedAsync(vm.Id));

        var (migration, _) = await MigrateAsync(process, vm.Id);

        Assert.Equal(MigrationState.Succeeded, migration.State);
        var left = (await process.Get<DeviceStore>().FindAsync(held.Host, held.Address, default))!;
        Assert.Equal(DeviceState.Quarantined, left.Ownership.State);
        Assert.Contains("reset", left.Ownership.QuarantineReason);
        var others = new List<PciAddress>();
        while ((await process.CreateAsync(process.Draft($"next-{others.Count}", AttachKind.Vf, host: "hv1"))).TryGet(out var next, out _))
            others.Add(Assert.Single(next.Vm.Attachments).Address);
        Assert.Equal(5, others.Count);
        Assert.DoesNotContain(held.Address, others);
    }

    [Fact]
    public async Task What_cannot_be_migrated_is_refused_before_anything_moves()
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await (await (await world.StartProcessAsync()).RunAsync()).WithFleetAsync();
        await process.AddHostAsync("bare", "switch");
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Vf));
        var before = await WorldDump.OfAsync(world, process);
        Task<Outcome<Migration>> Ask(string? target, MigrationRequest request) =>
            process.AskAsync((MigrateVirtualMachineHandler h) => h.HandleAsync(new MigrateVirtualMachine(vm.Id, target, request), default));
        var here = process.Get<FleetDirectory>().FindHost(vm.Host!.Value)!.Name;

        Assert.Equal("same-host", (await Ask(here, MigrationRequest.Default)).Fault?.Code);
        Assert.Equal("no-placement", (await Ask("bare", MigrationRequest.Default)).Fault?.Code);
        Assert.Equal("targetHost", Assert.Single((await Ask("nowhere", MigrationRequest.Default)).Fault!.Errors).Key);
        Assert.Equal("device-cannot-migrate", (await Ask(null, MigrationRequest.Default with { DeviceMethod = DeviceMethod.Vfio })).Fault?.Code);
        Assert.Equal("device-cannot-migrate", (await Ask(null, MigrationRequest.Default with { DeviceMethod = DeviceMethod.Failover })).Fault?.Code);
        Assert.Equal("gap-budget-exceeded", (await Ask(null, MigrationRequest.Default with { MaxInterfaceGap = TimeSpan.FromMilliseconds(1) })).Fault?.Code);
        var planned = await Ask(null, MigrationRequest.Default with { DryRun = true });
        Assert.Equal((MigrationState.Planned, DeviceMethod.Replug), (planned.Value.State, Assert.Single(planned.Value.Devices).Method));
        Assert.Equal(before, await WorldDump.OfAsync(world, process));
    }

    [Fact]
    public async Task Functions_whose_state_can_travel_stay_in_the_guest()
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await (await (await world.StartProcessAsync()).RunAsync()).WithFleetAsync(profile: "gpu-node");
        var draft = process.Draft("web-1");
        var vm = await process.RunVmAsync(draft with { Interfaces = [new InterfaceDraft("net0", Fleets.Network, AttachKind.Vf, null)] });

        var (migration, operation) = await MigrateAsync(process, vm.Id);

        Assert.Equal((OperationState.Succeeded, null), (operation.State, operation.Error));
        var device = Assert.Single(migration.Devices);
        Assert.Equal((DeviceMethod.Vfio, null, null), (device.Method, device.Unplug, device.Replug));
        var domain = await DomainAsync(world, process, migration.Target!.Value, vm.Id);
        Assert.Equal(device.TargetAddress, Assert.Single(domain!.Devices).Claim.Address);
    }

    [Theory]
    [InlineData("cancel")]
    [InlineData("timeout")]
    public async Task A_guest_that_went_over_by_itself_before_the_migration_was_called_back_is_the_targets(string callBack)
    {
        // This server's clock stands still until it is moved: the migration hears of its copy only when it turns round.
        var clock = new FakeTime();
        await using var world = await ControlPlaneWorld.CreateAsync(clock);
        await using var process = await (await (await world.StartProcessAsync()).RunAsync()).WithFleetAsync();
        var vm = await process.RunVmAsync(Labelled(process.Draft("web-1", AttachKind.Failover, drives: 1, host: "hv1"), "emulator.hold", "none"));
        var source = (await world.Hypervisors.OpenAsync(process.Get<FleetDirectory>().FindHost("hv1")!, default)).Value;
        await using var told = source.WatchAsync(default).GetAsyncEnumerator();
        var next = told.MoveNextAsync();
        var begun = await process.AskAsync((MigrateVirtualMachineHandler h) => h.HandleAsync(new MigrateVirtualMachine(vm.Id, null, MigrationRequest.Default), default));
        Assert.Null(begun.Fault);
        while (await next && told.Current is not Hypervisor.HypervisorEvent.CopyChanged { Phase: Hypervisor.CopyPhase.Completed })
            next = told.MoveNextAsync();

        if (callBack == "cancel")
            Assert.Null((await process.AskAsync((CancelOperationHandler h) => h.HandleAsync(new CancelOperation(begun.Value.Operation), default))).Fault);
        else
            clock.Advance(MigrationRequest.Default.Timeout);
        var operation = await process.EndAsync(begun.Value.Operation);

        var migration = (await process.Get<MigrationStore>().FindAsync(begun.Value.Id, default))!;
        Assert.Equal((OperationState.Succeeded, null), (operation.State, operation.Error));
        Assert.Equal((MigrationState.Succeeded, process.Host("hv2")), (migration.State, migration.Target));
        var after = await process.VmAsync(vm.Id);
        Assert.Equal((VmState.Running, process.Host("hv2"), null), (after.State, after.Host!.Value, after.Operation));
        Assert.All(after.Attachments, a => Assert.True(a.Plugged));
        Assert.Null(await DomainAsync(world, process, process.Host("hv1"), vm.Id));
        Assert.All(await process.OwnedAsync(vm.Id), d => Assert.Equal(process.Host("hv2"), d.Host));
    }

    [Fact]
    public async Task A_vm_whose_migration_was_taken_back_is_moved_by_the_next_one()
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await (await (await world.StartProcessAsync()).RunAsync()).WithFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Failover));

        var (first, _) = await MigrateAsync(process, vm.Id, MigrationRequest.Default with { BandwidthMiBPerSecond = 1, Timeout = TimeSpan.FromSeconds(1) });
        var (second, operation) = await MigrateAsync(process, vm.Id);

        Assert.Equal((MigrationState.RolledBack, MigrationState.Succeeded, null), (first.State, second.State, operation.Error));
        Assert.Equal(second.Target, (await process.VmAsync(vm.Id)).Host);
    }

    private static VmDraft Labelled(VmDraft draft, string key, string value) => draft with { Labels = new Dictionary<string, string> { [key] = value } };

    private static async Task<(Migration Migration, Operation Operation)> MigrateAsync(ServerProcess process, VmId vm, MigrationRequest? request = null)
    {
        var begun = await process.AskAsync((MigrateVirtualMachineHandler h) =>
            h.HandleAsync(new MigrateVirtualMachine(vm, null, request ?? MigrationRequest.Default), default));
        Assert.Null(begun.Fault);
        var operation = await process.EndAsync(begun.Value.Operation);
        return ((await process.Get<MigrationStore>().FindAsync(begun.Value.Id, default))!, operation);
    }

    private static async Task<Hypervisor.DomainStatus?> DomainAsync(ControlPlaneWorld world, ServerProcess process, HostId host, VmId vm)
    {
        var opened = await world.Hypervisors.OpenAsync(process.Get<FleetDirectory>().FindHost(host)!, default);
        return (await opened.Value.FindDomainAsync(vm, default)).Value;
    }
}

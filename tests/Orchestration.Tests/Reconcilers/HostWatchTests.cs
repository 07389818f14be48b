using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.Hosts;
using ControlPlane.Orchestration.Migrations;
using ControlPlane.Orchestration.Reconcilers;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Operations;
using ControlPlane.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace ControlPlane.Orchestration.Tests.Reconcilers;

/// <summary>The watching of hosts: what their events lead to, and what becomes of it when a stream, a watcher or a host dies.</summary>
public sealed class HostWatchTests
{
    [Fact]
    public async Task A_domain_that_is_destroyed_behind_our_back_is_recorded_as_stopped_as_soon_as_its_host_says_so()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        var (process, told) = await StartAsync(world);
        await using var ending = process;
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Vf));
        await WatchAsync(process, told);

        await DestroyAsync(process, vm);
        told.Tell(vm.Host!.Value, Off(vm.Id));

        await process.UntilAsync(async () => await process.StateAsync(vm.Id) == VmState.Stopped);
        Assert.Equal(["guest-off"], await process.ToldAsync());
    }

    [Fact]
    public async Task A_device_that_is_unplugged_by_hand_is_plugged_again_as_soon_as_its_host_says_so()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        var (process, told) = await StartAsync(world);
        await using var ending = process;
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Vf));
        var before = Assert.Single((await process.DomainAsync(vm.Host!.Value, vm.Id))!.Devices);
        await WatchAsync(process, told);

        Assert.Equal(UnplugResult.Unplugged, (await (await process.HypervisorAsync(vm.Host.Value)).UnplugAsync(vm.Ref(), "net0", TimeSpan.FromSeconds(5), default)).Value);
        told.Tell(vm.Host.Value, new HypervisorEvent.DeviceGone(vm.Id, "net0", DateTimeOffset.UnixEpoch));

        await process.UntilAsync(async () => (await process.ToldAsync()).Count > 0);
        Assert.Equal(["missing-device"], await process.ToldAsync());
        var after = Assert.Single((await process.DomainAsync(vm.Host.Value, vm.Id))!.Devices);
        Assert.Equal((before.Claim.Address, before.GuestAddress), (after.Claim.Address, after.GuestAddress));
    }

    [Fact]
    public async Task Events_that_are_untrue_doubled_or_of_nobody_change_nothing()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        var (process, told) = await StartAsync(world);
        await using var ending = process;
        var steady = await process.RunVmAsync(process.Draft("web-1", AttachKind.Vf));
        var mortal = await process.RunVmAsync(process.Draft("web-2"));
        await WatchAsync(process, told);
        await process.Get<InventoryRescan>().RunAsync(default); // Whatever is new by now is no news afterwards.
        var host = await HostAsync(process);
        var nobody = new VmId(process.Get<IIdSource>().Next());
        HypervisorEvent[] rumours =
        [
            Off(steady.Id), Off(nobody), new HypervisorEvent.DeviceGone(steady.Id, "net0", DateTimeOffset.UnixEpoch),
            new HypervisorEvent.DeviceGone(steady.Id, "unheard-of", DateTimeOffset.UnixEpoch), new HypervisorEvent.DeviceGone(nobody, "net0", DateTimeOffset.UnixEpoch),
            new HypervisorEvent.CopyChanged(steady.Id, CopyPhase.Completed, DateTimeOffset.UnixEpoch), new HypervisorEvent.InventoryChanged(DateTimeOffset.UnixEpoch),
        ];

        foreach (var rumour in rumours.Concat(rumours))
            told.Tell(host.Id, rumour);
        // Events are handled in their order: when the last has had its effect, the others have had theirs.
        await DestroyAsync(process, mortal);
        told.Tell(host.Id, Off(mortal.Id));
        await process.UntilAsync(async () => await process.StateAsync(mortal.Id) == VmState.Stopped);

        Assert.Equal(steady.Generation, (await process.VmAsync(steady.Id)).Generation);
        Assert.Equal(host.Generation, (await HostAsync(process)).Generation);
        Assert.Equal(["guest-off"], await process.ToldAsync());
    }

    [Fact]
    public async Task A_stream_that_ends_or_breaks_is_opened_again_and_what_happened_meanwhile_is_found()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        var (process, told) = await StartAsync(world);
        await using var ending = process;
        var first = await process.RunVmAsync(process.Draft("web-1"));
        var second = await process.RunVmAsync(process.Draft("web-2"));
        var host = first.Host!.Value;
        await WatchAsync(process, told);

        await DestroyAsync(process, first);
        told.End(host);
        await told.OpenedAsync();
        await process.UntilAsync(async () => await process.StateAsync(first.Id) == VmState.Stopped);
        await DestroyAsync(process, second);
        told.Break(host);
        await told.OpenedAsync();

        await process.UntilAsync(async () => await process.StateAsync(second.Id) == VmState.Stopped);
    }

    [Fact]
    public async Task A_watcher_that_dies_of_an_event_begins_again_and_makes_up_for_it()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        var (process, told) = await StartAsync(world);
        await using var ending = process;
        var vm = await process.RunVmAsync(process.Draft("web-1"));
        var first = await process.RunVmAsync(process.Draft("web-2"));
        await WatchAsync(process, told);
        await DestroyAsync(process, first);
        told.Tell(first.Host!.Value, Off(first.Id));
        await process.UntilAsync(async () => await process.StateAsync(first.Id) == VmState.Stopped);
        await DestroyAsync(process, vm);

        // It has looked and listens. What it reads next fails: it dies with the event in its hands.
        await world.SqlAsync("ALTER TABLE virtual_machines RENAME TO virtual_machines_away");
        told.Tell(vm.Host!.Value, Off(vm.Id));
        await told.OpenedAsync();
        await world.SqlAsync("ALTER TABLE virtual_machines_away RENAME TO virtual_machines");

        await process.UntilAsync(async () => await process.StateAsync(vm.Id) == VmState.Stopped);
        Assert.Equal(["guest-off", "guest-off"], await process.ToldAsync());
    }

    [Fact]
    public async Task A_host_that_goes_down_and_comes_back_is_watched_again()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(Audits.AtOnce with { WatchBackOffMax = TimeSpan.FromMilliseconds(250) }, hosts: 2);
        var watcher = process.Get<HostWatcher>();
        Assert.Equal(new ReconcileReport(2, 2), await watcher.RunAsync(default));
        Assert.Equal(new ReconcileReport(2, 0), await watcher.RunAsync(default));
        var vm = await process.RunVmAsync(process.Draft("web-1", host: "hv1"));
        world.Hypervisors.Crash(process.Host("hv1"));
        for (var i = 0; i < ReconcilerOptions.Default.SilentPingsMax; i++)
            await process.Get<HostHeartbeat>().RunAsync(default);
        Assert.Equal(HostState.Down, (await HostAsync(process)).State);
        world.Hypervisors.Revive(process.Host("hv1"));
        Assert.Equal(new ReconcileReport(2, 1), await process.Get<HostHeartbeat>().RunAsync(default));
        Assert.Equal((HostState.Up, VmState.Stopped), ((await HostAsync(process)).State, await process.StateAsync(vm.Id)));

        // Whether the stream is there again already or not: what happens on the host is found.
        var physical = (await process.FreeDeviceAsync(process.Host("hv1"))).Facts.PhysicalFunction!.Value;
        Assert.Null((await (await process.HypervisorAsync(process.Host("hv1"))).SetVirtualFunctionCountAsync(physical, 0, default)).Fault);

        await process.UntilAsync(async () => await world.CountAsync("SELECT count(*) FROM pci_devices WHERE NOT present") > 0);
        await watcher.DisposeAsync();
        Assert.Equal(new ReconcileReport(2, 0), await watcher.RunAsync(default));
    }

    [Fact]
    public async Task A_host_that_counts_as_down_is_not_taken_back_by_an_event_but_by_its_heartbeat()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        var (process, told) = await StartAsync(world);
        await using var ending = process;
        var vm = await process.RunVmAsync(process.Draft("web-1"));
        await WatchAsync(process, told);
        await world.SqlAsync("UPDATE hosts SET state = 'down', generation = generation + 1");

        told.Tell(vm.Host!.Value, new HypervisorEvent.InventoryChanged(DateTimeOffset.UnixEpoch));
        await DestroyAsync(process, vm);
        told.Tell(vm.Host.Value, Off(vm.Id));
        await process.UntilAsync(async () => await process.StateAsync(vm.Id) == VmState.Stopped);

        Assert.Equal(HostState.Down, (await HostAsync(process)).State);
        Assert.Equal(new ReconcileReport(1, 1), await process.Get<HostHeartbeat>().RunAsync(default));
        Assert.Equal(HostState.Up, (await HostAsync(process)).State);
    }

    [Fact]
    public async Task A_host_that_is_removed_is_watched_no_longer()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        var (process, told) = await StartAsync(world);
        await using var ending = process;
        var host = await HostAsync(process);
        await WatchAsync(process, told);
        Assert.True(told.IsWatched(host.Id));

        Assert.Null((await process.AskAsync((RemoveHostHandler h) => h.HandleAsync(new RemoveHost(host.Id, null), default))).Fault);

        Assert.Equal(new ReconcileReport(0, 1), await process.Get<HostWatcher>().RunAsync(default));
        Assert.False(told.IsWatched(host.Id));
    }

    [Fact]
    public async Task A_copy_that_holds_wakes_the_migration_that_waits_for_it()
    {
        // This server's clock stands still: the migration's own timer never fires.
        await using var world = await ControlPlaneWorld.CreateAsync(new FakeTime(), Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Failover, host: "hv1"));
        using var over = new CancellationTokenSource();
        var following = process.Get<HostEvents>().FollowAsync(vm.Host!.Value, over.Token);

        var begun = await process.AskAsync((MigrateVirtualMachineHandler h) => h.HandleAsync(new MigrateVirtualMachine(vm.Id, null, MigrationRequest.Default), default));

        Assert.Null(begun.Fault);
        await process.UntilAsync(async () => (await process.Get<OperationStore>().FindAsync(begun.Value.Operation, default))!.HasEnded);
        Assert.Equal((VmState.Running, process.Host("hv2")), ((await process.VmAsync(vm.Id)).State, (await process.VmAsync(vm.Id)).Host!.Value));
        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);
    }

    private static async Task<(ServerProcess Process, ToldFleet Told)> StartAsync(ControlPlaneWorld world)
    {
        var told = new ToldFleet(world.Hypervisors);
        var process = await world.StartProcessAsync(services => services
            .AddSingleton(Audits.AtOnce with { WatchBackOffMax = TimeSpan.FromMilliseconds(250) }).AddSingleton<IHypervisorFleet>(told));
        return (await (await process.RunAsync()).WithFleetAsync(hosts: 1), told);
    }

    private static async Task WatchAsync(ServerProcess process, ToldFleet told)
    {
        Assert.Equal(new ReconcileReport(1, 1), await process.Get<HostWatcher>().RunAsync(default));
        await told.OpenedAsync();
    }

    private static HypervisorEvent.DomainChanged Off(VmId vm) => new(vm, DomainState.Off, "destroyed", DateTimeOffset.UnixEpoch);

    private static async Task DestroyAsync(ServerProcess process, VirtualMachine vm) =>
        Assert.Null((await (await process.HypervisorAsync(vm.Host!.Value)).DestroyAsync(vm.Ref(), default)).Fault);

    private static async Task<Host> HostAsync(ServerProcess process) => (await process.Get<HostStore>().FindByNameAsync("hv1", CancellationToken.None))!;
}

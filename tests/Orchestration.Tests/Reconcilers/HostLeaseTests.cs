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
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;
using ControlPlane.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace ControlPlane.Orchestration.Tests.Reconcilers;

/// <summary>Of several servers one looks after a host; another when that one dies, and then that one no more.</summary>
public sealed class HostLeaseTests
{
    private static readonly TimeSpan Lease = ReconcilerOptions.Default.HostLease;

    [Fact]
    public async Task Servers_that_take_at_once_share_the_hosts_between_them_and_none_is_taken_twice()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(new FakeTime(), Audits.Emulation);
        await using var first = await StartAsync(world);
        await first.WithFleetAsync(hosts: 4);
        await using var second = await StartAsync(world);
        await using var third = await StartAsync(world);

        var taken = await Task.WhenAll(new[] { first, second, third }.Select(p => Task.Run(() => p.Get<HostLeases>().TakeAsync(default))));

        Assert.Equal(first.Get<FleetDirectory>().Hosts.Select(h => h.Id.Value).Order(), taken.SelectMany(t => t).Select(h => h.Value).Order());
    }

    [Fact]
    public async Task Only_the_server_with_the_lease_asks_watches_and_scans_a_host()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(new FakeTime(), Audits.Emulation);
        await using var first = await StartAsync(world);
        await first.WithFleetAsync(hosts: 2);
        await using var second = await StartAsync(world);
        await first.Get<HostLeases>().RunAsync(default);

        foreach (var process in new[] { first, second })
        {
            var share = process == first ? 2 : 0;
            Assert.Equal(new ReconcileReport(share, 0), await process.Get<HostHeartbeat>().RunAsync(default));
            Assert.Equal(new ReconcileReport(share, 0), await process.Get<InventoryRescan>().RunAsync(default));
            Assert.Equal(new ReconcileReport(share, share), await process.Get<HostWatcher>().RunAsync(default));
        }
    }

    [Fact]
    public async Task A_lease_that_is_renewed_is_never_taken_and_one_that_lapsed_is()
    {
        var clock = new FakeTime();
        await using var world = await ControlPlaneWorld.CreateAsync(clock, Audits.Emulation);
        await using var first = await StartAsync(world);
        await first.WithFleetAsync(hosts: 2);
        await using var second = await StartAsync(world);
        for (var third = 0; third < 9; third++)
        {
            await first.Get<HostLeases>().RunAsync(default);
            Assert.Empty(await second.Get<HostLeases>().TakeAsync(default));
            clock.Advance(Lease / 3);
        }

        clock.Advance(Lease);

        Assert.All(first.Get<FleetDirectory>().Hosts, h => Assert.False(first.Get<HostLeases>().Holds(h.Id)));
        Assert.Equal(2, (await second.Get<HostLeases>().TakeAsync(default)).Count);
        Assert.Empty(await first.Get<HostLeases>().TakeAsync(default));
    }

    [Fact]
    public async Task A_server_that_stops_hands_its_hosts_over_at_once_and_one_that_dies_after_its_leases_have_lapsed()
    {
        var clock = new FakeTime();
        await using var world = await ControlPlaneWorld.CreateAsync(clock, Audits.Emulation);
        await using var stopped = await StartAsync(world);
        await stopped.WithFleetAsync(hosts: 1);
        await stopped.Get<HostLeases>().RunAsync(default);
        await stopped.Get<HostLeases>().DisposeAsync();
        await using var dead = await StartAsync(world);
        Assert.Single(await dead.Get<HostLeases>().TakeAsync(default));
        await using var heir = await StartAsync(world);
        Assert.Empty(await heir.Get<HostLeases>().TakeAsync(default));

        clock.Advance(Lease + TimeSpan.FromSeconds(1));

        Assert.Single(await heir.Get<HostLeases>().TakeAsync(default));
    }

    [Fact]
    public async Task The_only_server_of_a_database_takes_its_dead_predecessors_hosts_at_once()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(new FakeTime(), Audits.Emulation);
        await using var dead = await world.StartFleetAsync(hosts: 1);
        Assert.Single(await dead.Get<HostLeases>().TakeAsync(default));

        await using var next = await world.StartAsync();

        Assert.Single(await next.Get<HostLeases>().TakeAsync(default));
    }

    [Fact]
    public async Task A_late_owner_can_neither_lose_a_host_nor_take_it_back_nor_speak_for_its_vms()
    {
        var clock = new FakeTime();
        await using var world = await ControlPlaneWorld.CreateAsync(clock, Audits.Emulation);
        await using var late = await StartAsync(world);
        await late.WithFleetAsync(hosts: 1);
        var vm = await late.RunVmAsync(late.Draft("web-1"));
        await late.Get<HostLeases>().RunAsync(default);
        await using var owner = await StartAsync(world);
        clock.Advance(Lease + TimeSpan.FromSeconds(1));
        Assert.Single(await owner.Get<HostLeases>().TakeAsync(default));
        var host = await HostAsync(late);

        var scan = late.Get<HostScan>();
        var hypervisor = await late.HypervisorAsync(host.Id);
        var physical = (await late.FreeDeviceAsync(host.Id)).Facts.PhysicalFunction!.Value;
        Assert.Null((await hypervisor.SetVirtualFunctionCountAsync(physical, 0, default)).Fault);
        var scanned = await scan.RunAsync(host.Id, default);
        var said = await late.Get<HostConditions>().SetAsync([vm], "It does not answer.", default);
        var silence = new WriteUnit();
        late.Get<HostLeases>().Fence(silence, host.Id);
        late.Get<HostRecords>().Silent(silence, host.Id, "It does not answer.", clock.GetUtcNow());
        var lost = await late.Get<BatchingWriter>().CommitAsync(silence, default);

        Assert.Equal("host-lease-lost", scanned.Fault?.Code);
        Assert.Equal("host-lease-lost", lost.Fault?.Code);
        Assert.Equal(0, said);
        Assert.Equal((host.State, host.Generation), ((await HostAsync(late)).State, (await HostAsync(late)).Generation));
        Assert.Empty((await late.VmAsync(vm.Id)).Conditions);
        Assert.True((await owner.Get<HostScan>().RunAsync(host.Id, default)).Value);
    }

    [Fact]
    public async Task A_host_that_dies_with_the_server_that_looked_after_it_is_lost_by_the_next_one()
    {
        var clock = new FakeTime();
        await using var world = await ControlPlaneWorld.CreateAsync(clock, Audits.Emulation);
        await using var dead = await StartAsync(world);
        await dead.WithFleetAsync(hosts: 1);
        await dead.Get<HostHeartbeat>().RunAsync(default);
        await using var heir = await StartAsync(world);
        world.Hypervisors.Crash(heir.Host("hv1"));
        for (var i = 0; i < ReconcilerOptions.Default.SilentPingsMax; i++)
            Assert.Equal(new ReconcileReport(0, 0), await heir.Get<HostHeartbeat>().RunAsync(default));
        clock.Advance(Lease + TimeSpan.FromSeconds(1));

        // Pings that it did not send do not count: it begins to count now.
        for (var i = 1; i < ReconcilerOptions.Default.SilentPingsMax; i++)
            Assert.Equal(new ReconcileReport(1, 0), await heir.Get<HostHeartbeat>().RunAsync(default));
        Assert.Equal(new ReconcileReport(1, 1), await heir.Get<HostHeartbeat>().RunAsync(default));

        Assert.Equal(HostState.Down, (await HostAsync(heir)).State);
    }

    [Fact]
    public async Task An_event_wakes_what_another_server_runs()
    {
        // The clock stands still: the migration's own timer never fires, and the server that watches the host does not run the migration.
        await using var world = await ControlPlaneWorld.CreateAsync(new FakeTime(), Audits.Emulation);
        await using var runs = await (await StartAsync(world)).WithFleetAsync(hosts: 2);
        var vm = await runs.RunVmAsync(runs.Draft("web-1", AttachKind.Failover, host: "hv1"));
        await using var watches = await StartAsync(world);
        using var over = new CancellationTokenSource();
        runs.Get<CommitSignals>().Committed += signal =>
        {
            foreach (var id in signal.Ids)
                runs.Runner.Wake(id);
        };
        var listening = await runs.ListenAsync(watches, over.Token);
        var following = watches.Get<HostEvents>().FollowAsync(vm.Host!.Value, over.Token);

        var begun = await runs.AskAsync((MigrateVirtualMachineHandler h) => h.HandleAsync(new MigrateVirtualMachine(vm.Id, null, MigrationRequest.Default), default));

        Assert.Null(begun.Fault);
        await runs.UntilAsync(async () => (await runs.Get<OperationStore>().FindAsync(begun.Value.Operation, default))!.HasEnded);
        Assert.Equal(runs.Host("hv2"), (await runs.VmAsync(vm.Id)).Host);
        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);
        await listening;
    }

    /// <summary>One of several servers.</summary>
    private static async Task<ServerProcess> StartAsync(ControlPlaneWorld world) => await (await world.StartProcessAsync(services => services
        .AddSingleton(Audits.AtOnce)
        .AddSingleton(provider => new SagaRunnerOptions { Owner = provider.GetRequiredService<ServerIdentity>().Id.ToString() }))).RunAsync();

    private static async Task<Host> HostAsync(ServerProcess process) => (await process.Get<HostStore>().FindByNameAsync("hv1", CancellationToken.None))!;
}

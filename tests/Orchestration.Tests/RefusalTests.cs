using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Orchestration.DevicePools;
using ControlPlane.Orchestration.Hosts;
using ControlPlane.Orchestration.Migrations;
using ControlPlane.Orchestration.Networks;
using ControlPlane.Orchestration.Registration;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Migrations;

namespace ControlPlane.Orchestration.Tests;

/// <summary>What is asked for and cannot be: refused in words, and nothing is taken.</summary>
public sealed class RefusalTests
{
    [Fact]
    public async Task Ten_thousand_devices_are_more_than_a_guest_can_have()
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await StartAsync(world);
        var before = await WorldDump.OfAsync(world, process);

        var one = await process.CreateAsync(process.Draft("web-1", drives: 10_000));
        var many = await process.CreateAsync(process.Draft("web-1") with
        {
            Devices = [.. Enumerable.Range(0, 10_000).Select(i => new DeviceRequestDraft($"disk-{i}", "drives", 1))],
        });

        Assert.Equal(FaultKind.Impossible, one.Fault?.Kind);
        Assert.Equal(FaultKind.Impossible, many.Fault?.Kind);
        Assert.Equal(before, await WorldDump.OfAsync(world, process));
    }

    [Fact]
    public async Task A_pool_that_matches_nothing_serves_nobody_and_the_explanation_names_it()
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await StartAsync(world);
        var pool = await process.AskAsync((CreateDevicePoolHandler h) => h.HandleAsync(
            new CreateDevicePool(new PoolDraft("unicorns", PoolKind.VirtualFunction, [new PoolMatchDraft("1234", "5678", null, null, null, null)], null)), default));
        Assert.Null(pool.Fault);

        var refused = await process.CreateAsync(process.Draft("web-1") with { Devices = [new DeviceRequestDraft("horn", "unicorns", 1)] });

        Assert.Equal(FaultKind.NoPlacement, refused.Fault?.Kind);
        var explanation = Assert.IsType<Scheduling.Explanation.PlacementExplanation>(refused.Fault!.Extension);
        Assert.Equal(2, explanation.Hosts.Count);
        Assert.All(explanation.Hosts, h => Assert.Contains(h.Failed, f => f.Needed.Contains("unicorns", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task What_a_vm_uses_cannot_be_deleted()
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await StartAsync(world);
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Vf, drives: 1));
        var directory = process.Get<FleetDirectory>();
        var before = await WorldDump.OfAsync(world, process);

        var host = await process.AskAsync((RemoveHostHandler h) => h.HandleAsync(new RemoveHost(vm.Host!.Value, null), default));
        var network = await process.AskAsync((DeleteNetworkHandler h) => h.HandleAsync(new DeleteNetwork(directory.FindNetwork(Fleets.Network)!.Id, null), default));
        var pool = await process.AskAsync((DeleteDevicePoolHandler h) => h.HandleAsync(new DeleteDevicePool(directory.FindPool("drives")!.Id, null), default));

        Assert.All(new[] { host.Fault, network.Fault, pool.Fault }, fault => Assert.Equal((FaultKind.Conflict, "in-use"), (fault!.Kind, fault.Code)));
        Assert.NotNull(directory.FindHost(vm.Host!.Value));
        Assert.NotNull(directory.FindNetwork(Fleets.Network));
        Assert.NotNull(directory.FindPool("drives"));
        Assert.Equal(before, await WorldDump.OfAsync(world, process));
    }

    [Fact]
    public async Task Of_many_migrations_of_one_vm_that_are_asked_for_at_once_one_is_made()
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await StartAsync(world);
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Failover));

        var asked = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => process.AskAsync((MigrateVirtualMachineHandler h) =>
            h.HandleAsync(new MigrateVirtualMachine(vm.Id, null, MigrationRequest.Default), default))));

        var begun = Assert.Single(asked, a => a.Succeeded);
        Assert.All(asked.Where(a => !a.Succeeded), a => Assert.Equal(FaultKind.Conflict, a.Fault!.Kind));
        Assert.Equal(OperationState.Succeeded, (await process.EndAsync(begun.Value.Operation)).State);
        Assert.NotEqual(vm.Host, (await process.VmAsync(vm.Id)).Host);
    }

    [Theory]
    [InlineData(HypervisorCall.PrepareDevice, true)]
    [InlineData(HypervisorCall.PrepareDevice, false)]
    [InlineData(HypervisorCall.PrepareIncoming, true)]
    [InlineData(HypervisorCall.PrepareIncoming, false)]
    public async Task A_target_that_dies_while_it_is_prepared_leaves_the_guest_where_it_runs(HypervisorCall call, bool before)
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await StartAsync(world);
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Failover, host: "hv1"));
        var target = process.Host("hv2");
        if (before)
            world.Hypervisors.Faults.CrashBefore(call, host: target);
        else
            world.Hypervisors.Faults.CrashAfter(call, host: target);

        var begun = await process.AskAsync((MigrateVirtualMachineHandler h) => h.HandleAsync(new MigrateVirtualMachine(vm.Id, null, MigrationRequest.Default), default));

        Assert.Equal(OperationState.Failed, (await process.EndAsync(begun.Value.Operation)).State);
        Assert.Equal(MigrationState.RolledBack, (await process.Get<MigrationStore>().FindAsync(begun.Value.Id, default))!.State);
        var after = await process.VmAsync(vm.Id);
        Assert.Equal((VmState.Running, vm.Host, null), (after.State, after.Host, after.Operation));
        Assert.Equal(vm.Attachments, after.Attachments);
        var opened = await process.Get<HostConnections>().OpenAsync(vm.Host!.Value, default);
        Assert.Equal("net0", Assert.Single((await opened.Value.FindDomainAsync(vm.Id, default)).Value!.Devices).Name);
    }

    private static async Task<ServerProcess> StartAsync(ControlPlaneWorld world) =>
        await (await (await world.StartProcessAsync(services => services.AddRecordedNouns())).RunAsync()).WithFleetAsync();
}

using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Libvirt.Tests.Infrastructure;
using ControlPlane.Orchestration.Migrations;
using ControlPlane.Orchestration.Operations;
using ControlPlane.Orchestration.Reconcilers;
using ControlPlane.Orchestration.Tests;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Migrations;
using ControlPlane.Persistence.Writing;
using ControlPlane.Testing;

namespace ControlPlane.Libvirt.Tests.Operating;

/// <summary>The handlers, sagas and reconcilers that all other tests run over emulated hosts, over real ones.</summary>
[Collection(nameof(RigHosts))]
public sealed class OperatingTests(RigHosts hosts)
{
    private static readonly TimeSpan GuestPatience = TimeSpan.FromMinutes(2);

    [Fact]
    public Task A_VM_is_created_changed_stopped_started_and_deleted_and_leaves_nothing() => RealHostsWorld.RunAsync(hosts, null, async (world, process) =>
    {
        var vm = await world.RunVmAsync(process);
        Assert.Equal(DomainState.Running, await RealHostsWorld.StateOnAsync(world.Fleet.Source, vm.Id));

        await process.SucceedAsync(await process.AskAsync((AttachInterfaceHandler h) =>
            h.HandleAsync(new AttachInterface(vm.Id, new InterfaceDraft("net1", Fleets.Network, AttachKind.Virtio, null)), default)));
        Assert.Equal(["net0", "net1"], await InterfacesAsync(world, vm.Id));
        await process.SucceedAsync(await process.AskAsync((DetachInterfaceHandler h) => h.HandleAsync(new DetachInterface(vm.Id, "net1", GuestPatience), default)));
        Assert.Equal(["net0"], await InterfacesAsync(world, vm.Id));

        await process.SucceedAsync(await process.AskAsync((StopVirtualMachineHandler h) => h.HandleAsync(new StopVirtualMachine(vm.Id, false, GuestPatience), default)));
        Assert.Equal(DomainState.Off, await RealHostsWorld.StateOnAsync(world.Fleet.Source, vm.Id));
        await process.SucceedAsync(await process.AskAsync((StartVirtualMachineHandler h) => h.HandleAsync(new StartVirtualMachine(vm.Id), default)));
        Assert.Equal(DomainState.Running, await RealHostsWorld.StateOnAsync(world.Fleet.Source, vm.Id));

        await process.SucceedAsync(await process.AskAsync((DeleteVirtualMachineHandler h) => h.HandleAsync(new DeleteVirtualMachine(vm.Id, null), default)));
        Assert.Null(await RealHostsWorld.StateOnAsync(world.Fleet.Source, vm.Id));
        Assert.Equal(0, LibvirtTestFleet.DisksOn(hosts.First));
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public Task A_migration_goes_on_after_its_server_died_at_any_of_its_commits(int commit) => RealHostsWorld.RunAsync(hosts, null, async (world, process) =>
    {
        var vm = await world.RunVmAsync(process, GuestManner.DirtiesFast);
        var commits = 0;
        var died = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        process.Get<CommitSignals>().Committed += _ =>
        {
            if (Interlocked.Increment(ref commits) != commit)
                return;
            process.Runner.Crash();
            died.TrySetResult();
        };
        var begun = await process.AskAsync((MigrateVirtualMachineHandler h) =>
            h.HandleAsync(new MigrateVirtualMachine(vm.Id, hosts.Second.Name, MigrationRequest.Default), default));
        Assert.Null(begun.Fault);
        await died.Task.WaitAsync(GuestPatience);
        // With it go its connections, and whatever watched the copy.
        await process.DisposeAsync();

        await using var next = await world.StartAsync();
        var operation = await next.EndAsync(begun.Value.Operation);

        Assert.Equal((OperationState.Succeeded, null), (operation.State, operation.Error));
        await AssertMovedAsync(world, next, vm.Id);
    });

    [Fact]
    public Task A_migration_that_is_cancelled_after_its_guest_went_over_by_itself_ends_on_the_target() => RealHostsWorld.RunAsync(hosts, new FakeTime(), async (world, process) =>
    {
        // This server's clock stands still: it does not look at the copy before it is cancelled.
        var vm = await world.RunVmAsync(process);
        var begun = await process.AskAsync((MigrateVirtualMachineHandler h) =>
            h.HandleAsync(new MigrateVirtualMachine(vm.Id, hosts.Second.Name, MigrationRequest.Default), default));
        Assert.Null(begun.Fault);
        await RealHostsWorld.UntilAsync(async () => await RealHostsWorld.StateOnAsync(world.Fleet.Target, vm.Id) == DomainState.Running, "the guest goes over by itself");

        Assert.Null((await process.AskAsync((CancelOperationHandler h) => h.HandleAsync(new CancelOperation(begun.Value.Operation), default))).Fault);
        var operation = await process.EndAsync(begun.Value.Operation);

        Assert.Equal((OperationState.Succeeded, null), (operation.State, operation.Error));
        Assert.Equal(MigrationState.Succeeded, (await process.Get<MigrationStore>().FindAsync(begun.Value.Id, default))!.State);
        await AssertMovedAsync(world, process, vm.Id);
    });

    [Fact]
    public Task A_domain_that_is_destroyed_behind_our_back_is_recorded_as_stopped() => RealHostsWorld.RunAsync(hosts, null, async (world, process) =>
    {
        var vm = await world.RunVmAsync(process);
        foreach (var name in new[] { "host-leases", "host-watcher" })
            await process.Get<IEnumerable<IReconciler>>().Single(r => r.Name == name).RunAsync(default);
        await process.Get<HeardFleet>().ListenedTo(vm.Host!.Value).WaitAsync(GuestPatience);

        await hosts.First.RequireVirshAsync(["destroy", vm.Id.Value.ToString()], default);

        await RealHostsWorld.UntilAsync(async () => (await process.VmAsync(vm.Id)).State == VmState.Stopped, "the VM is recorded as stopped");
    });

    private static async Task<IEnumerable<string>> InterfacesAsync(RealHostsWorld world, VmId vm) =>
        (await world.Fleet.Source.FindDomainAsync(vm, default)).Value!.Interfaces.Select(i => i.Name).Order(StringComparer.Ordinal);

    private async Task AssertMovedAsync(RealHostsWorld world, ServerProcess process, VmId id)
    {
        var vm = await process.VmAsync(id);
        Assert.Equal((VmState.Running, process.Host(hosts.Second.Name), null), (vm.State, vm.Host!.Value, vm.Operation));
        Assert.Null(await RealHostsWorld.StateOnAsync(world.Fleet.Source, id));
        Assert.Equal(DomainState.Running, await RealHostsWorld.StateOnAsync(world.Fleet.Target, id));
    }
}

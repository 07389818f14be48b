using ControlPlane.Domain;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.VirtualMachines;

namespace ControlPlane.Orchestration.Tests;

public sealed class VmLifeTests
{
    [Fact]
    public async Task A_vm_with_a_failover_interface_runs_on_a_function_that_it_alone_owns()
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await (await (await world.StartProcessAsync()).RunAsync()).WithFleetAsync();

        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Failover));

        Assert.Equal(VmState.Running, vm.State);
        Assert.Null(vm.Operation);
        var device = Assert.Single(await process.OwnedAsync(vm.Id));
        var attachment = Assert.Single(vm.Attachments);
        Assert.Equal((DeviceState.Attached, "net0"), (device.Ownership.State, device.Ownership.Owner!.Name));
        Assert.Equal((device.Address, device.Ownership.Generation, true), (attachment.Address, attachment.Generation, attachment.Plugged));
    }

    [Fact]
    public async Task A_vm_that_is_deleted_leaves_nothing_behind()
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await (await (await world.StartProcessAsync()).RunAsync()).WithFleetAsync();
        var before = await WorldDump.OfAsync(world, process);
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Failover, drives: 2));

        await process.SucceedAsync(await process.AskAsync((DeleteVirtualMachineHandler h) => h.HandleAsync(new DeleteVirtualMachine(vm.Id, null), default)));

        Assert.Null(await process.Get<VmStore>().FindAsync(vm.Id, default));
        Assert.Equal(before, await WorldDump.OfAsync(world, process));
    }

    [Fact]
    public async Task A_vm_stops_starts_pauses_resumes_and_reboots_and_keeps_its_devices_throughout()
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await (await (await world.StartProcessAsync()).RunAsync()).WithFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Vf));
        var owned = await process.OwnedAsync(vm.Id);

        await process.SucceedAsync(await process.AskAsync((PauseVirtualMachineHandler h) => h.HandleAsync(new PauseVirtualMachine(vm.Id), default)));
        Assert.Equal(VmState.Paused, (await process.VmAsync(vm.Id)).State);
        await process.SucceedAsync(await process.AskAsync((ResumeVirtualMachineHandler h) => h.HandleAsync(new ResumeVirtualMachine(vm.Id), default)));
        await process.SucceedAsync(await process.AskAsync((RebootVirtualMachineHandler h) => h.HandleAsync(new RebootVirtualMachine(vm.Id), default)));
        Assert.Equal(VmState.Running, (await process.VmAsync(vm.Id)).State);
        await process.SucceedAsync(await process.AskAsync(
            (StopVirtualMachineHandler h) => h.HandleAsync(new StopVirtualMachine(vm.Id, false, TimeSpan.FromSeconds(30)), default)));
        Assert.Equal(VmState.Stopped, (await process.VmAsync(vm.Id)).State);
        await process.SucceedAsync(await process.AskAsync((StartVirtualMachineHandler h) => h.HandleAsync(new StartVirtualMachine(vm.Id), default)));

        Assert.Equal(VmState.Running, (await process.VmAsync(vm.Id)).State);
        Assert.Equal(owned.Select(d => (d.Address, d.Ownership)), (await process.OwnedAsync(vm.Id)).Select(d => (d.Address, d.Ownership)));
    }

    [Fact]
    public async Task Two_creates_that_race_for_the_last_function_give_one_vm_and_one_explanation()
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await (await (await world.StartProcessAsync()).RunAsync()).WithFleetAsync(hosts: 1);
        for (var i = 0; i < 5; i++)
            await process.RunVmAsync(process.Draft($"first-{i}", AttachKind.Vf));

        var racers = await Task.WhenAll(Enumerable.Range(0, 2).Select(i => process.CreateAsync(process.Draft($"racer-{i}", AttachKind.Vf))));

        var loser = Assert.Single(racers, r => !r.Succeeded);
        Assert.Equal((FaultKind.NoPlacement, "no-placement"), (loser.Fault!.Kind, loser.Fault.Code));
        Assert.NotNull(loser.Fault.Extension);
        var winner = Assert.Single(racers, r => r.Succeeded);
        Assert.Equal(OperationState.Succeeded, (await process.EndAsync(winner.Value.Operation.Id)).State);
    }

    [Fact]
    public async Task Servers_that_race_for_the_last_function_are_told_apart_by_the_database()
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var one = await (await (await world.StartProcessAsync()).RunAsync()).WithFleetAsync(hosts: 1);
        for (var i = 0; i < 5; i++)
            await one.RunVmAsync(one.Draft($"first-{i}", AttachKind.Vf));
        await using var other = await world.StartProcessAsync();

        var racers = await Task.WhenAll(one.CreateAsync(one.Draft("racer-1", AttachKind.Vf)), other.CreateAsync(other.Draft("racer-2", AttachKind.Vf)));

        Assert.Equal("no-placement", Assert.Single(racers, r => !r.Succeeded).Fault!.Code);
        Assert.Single(racers, r => r.Succeeded);
    }

    [Fact]
    public async Task A_mac_that_is_in_use_is_refused_and_nothing_is_taken()
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await (await (await world.StartProcessAsync()).RunAsync()).WithFleetAsync();
        var first = await process.RunVmAsync(process.Draft("web-1", AttachKind.Failover));
        var before = await WorldDump.OfAsync(world, process);
        var draft = process.Draft("web-2", AttachKind.Failover);

        var refused = await process.CreateAsync(draft with { Interfaces = [draft.Interfaces[0] with { Mac = first.Interfaces[0].Mac.ToString() }] });

        Assert.Equal((FaultKind.Conflict, "mac-in-use"), (refused.Fault!.Kind, refused.Fault.Code));
        Assert.Equal(before, await WorldDump.OfAsync(world, process));
        var next = await process.RunVmAsync(process.Draft("web-3", AttachKind.Failover));
        Assert.NotEqual((first.Host, first.Attachments[0].Address), (next.Host, next.Attachments[0].Address));
    }

    [Fact]
    public async Task A_second_operation_on_a_busy_vm_is_a_conflict_that_names_the_first()
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await (await world.StartProcessAsync()).RunAsync();
        await process.WithFleetAsync();
        await using var idle = await world.StartProcessAsync(s => { });
        var accepted = await idle.CreateAsync(idle.Draft("web-1"));
        Assert.Null(accepted.Fault);

        var second = await process.AskAsync((PauseVirtualMachineHandler h) => h.HandleAsync(new PauseVirtualMachine(accepted.Value.Vm.Id), default));

        Assert.Equal("operation-in-progress", second.Fault?.Code);
        Assert.Contains(accepted.Value.Operation.Id.ToString(), second.Fault!.Detail);
    }
}

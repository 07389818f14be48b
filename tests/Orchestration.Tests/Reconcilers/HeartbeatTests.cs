using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.Hosts;
using ControlPlane.Orchestration.Reconcilers;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Operations;

namespace ControlPlane.Orchestration.Tests.Reconcilers;

/// <summary>A host falls silent, and answers again.</summary>
public sealed class HeartbeatTests
{
    [Fact]
    public async Task A_host_that_answers_is_seen_and_changed_in_nothing_else()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(hosts: 1);
        var before = await HostAsync(process);

        var report = await BeatAsync(process);

        Assert.Equal(new ReconcileReport(1, 0), report);
        var after = await HostAsync(process);
        Assert.True(after.LastSeenAt > before.LastSeenAt);
        Assert.Equal((before.Generation, before.UpdatedAt), (after.Generation, after.UpdatedAt));
    }

    [Fact]
    public async Task A_host_that_is_silent_three_times_in_a_row_is_down_and_its_vms_say_so()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Vf, host: "hv1"));
        var elsewhere = await process.RunVmAsync(process.Draft("web-2", host: "hv2"));
        world.Hypervisors.Crash(process.Host("hv1"));

        await BeatAsync(process);
        await BeatAsync(process);
        Assert.Equal(HostState.Up, (await HostAsync(process)).State);
        await BeatAsync(process);

        var host = await HostAsync(process);
        Assert.Equal(HostState.Down, host.State);
        Assert.Contains("does not answer", host.StateReason);
        Assert.Equal(HostState.Down, process.Get<FleetDirectory>().FindHost("hv1")!.State);
        Assert.Equal(ConditionTypes.HostUnreachable, Assert.Single((await process.VmAsync(vm.Id)).Conditions).Type);
        Assert.Empty((await process.VmAsync(elsewhere.Id)).Conditions);
        Assert.Equal("no-placement", (await process.CreateAsync(process.Draft("web-3", host: "hv1"))).Fault?.Code);
    }

    [Fact]
    public async Task An_answer_in_between_begins_the_count_anew()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(hosts: 1);
        for (var round = 0; round < 3; round++)
        {
            world.Hypervisors.Crash(process.Host("hv1"));
            await BeatAsync(process);
            await BeatAsync(process);
            world.Hypervisors.Revive(process.Host("hv1"));
            await BeatAsync(process);
        }

        Assert.Equal(HostState.Up, (await HostAsync(process)).State);
    }

    [Fact]
    public async Task A_host_that_another_server_has_just_heard_is_not_down()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(Audits.AtOnce with { HeartbeatEvery = TimeSpan.FromMinutes(5) }, hosts: 1);
        world.Hypervisors.Crash(process.Host("hv1"));
        await world.SqlAsync("UPDATE hosts SET last_seen_at = now()");

        for (var i = 0; i < 5; i++)
            await BeatAsync(process);
        Assert.Equal(HostState.Up, (await HostAsync(process)).State);
        await world.SqlAsync("UPDATE hosts SET last_seen_at = now() - interval '1 hour'");
        await BeatAsync(process);

        Assert.Equal(HostState.Down, (await HostAsync(process)).State);
    }

    [Fact]
    public async Task A_vm_that_an_operation_holds_learns_of_its_silent_host_once_the_operation_has_let_go()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(hosts: 1);
        var vm = await process.RunVmAsync(process.Draft("web-1"));
        var nobody = process.Get<IIdSource>().Next();
        await world.SqlAsync("UPDATE virtual_machines SET operation_id = $1", nobody);
        await LoseAsync(world, process);
        Assert.Empty((await process.VmAsync(vm.Id)).Conditions);
        await world.SqlAsync("UPDATE virtual_machines SET operation_id = NULL");

        await BeatAsync(process);

        Assert.Equal(ConditionTypes.HostUnreachable, Assert.Single((await process.VmAsync(vm.Id)).Conditions).Type);
    }

    [Fact]
    public async Task A_host_that_answers_again_is_up_and_what_died_with_it_is_recorded_as_stopped()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(hosts: 1);
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Vf));
        var owned = await process.OwnedAsync(vm.Id);
        await LoseAsync(world, process);
        world.Hypervisors.Revive(process.Host("hv1"));

        await BeatAsync(process);

        Assert.Equal((HostState.Up, null), ((await HostAsync(process)).State, (await HostAsync(process)).StateReason));
        var back = await process.VmAsync(vm.Id);
        Assert.Equal(VmState.Stopped, back.State);
        Assert.Empty(back.Conditions);
        Assert.Equal(owned.Select(d => (d.Address, d.Ownership)), (await process.OwnedAsync(vm.Id)).Select(d => (d.Address, d.Ownership)));
        await process.SucceedAsync(await process.AskAsync((StartVirtualMachineHandler h) => h.HandleAsync(new StartVirtualMachine(vm.Id), default)));
        Assert.Equal(DomainState.Running, (await process.DomainAsync(process.Host("hv1"), vm.Id))?.State);
    }

    [Fact]
    public async Task A_cordoned_host_that_answers_again_stays_in_maintenance()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(hosts: 1);
        var cordoned = await process.AskAsync((UpdateHostHandler h) => h.HandleAsync(new UpdateHost(process.Host("hv1"), null, null, Cordoned: true), default));
        Assert.Null(cordoned.Fault);
        await LoseAsync(world, process);
        world.Hypervisors.Revive(process.Host("hv1"));

        await BeatAsync(process);

        Assert.Equal(HostState.Maintenance, (await HostAsync(process)).State);
    }

    [Fact]
    public async Task A_delete_that_got_stuck_on_a_silent_host_goes_on_when_the_host_answers_again()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(hosts: 1);
        var before = await WorldDump.OfAsync(world, process);
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Vf));
        await LoseAsync(world, process);
        var stuck = await StickAsync(world, vm, "host-unavailable");
        world.Hypervisors.Revive(process.Host("hv1"));

        await BeatAsync(process);

        var operation = await process.EndAsync(stuck);
        Assert.Equal((OperationState.Succeeded, null), (operation.State, operation.Error));
        Assert.Equal(before, await WorldDump.OfAsync(world, process));
    }

    [Fact]
    public async Task What_is_stuck_for_another_reason_waits_for_an_operator()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(hosts: 1);
        var vm = await process.RunVmAsync(process.Draft("web-1"));
        var stuck = await StickAsync(world, vm, "guest-refused-unplug");

        var report = await process.Get<StuckOperations>().RunAsync(default);

        Assert.Equal(new ReconcileReport(0, 0), report);
        Assert.Equal(OperationState.Stuck, (await process.Get<OperationStore>().FindAsync(stuck, default))?.State);
    }

    [Fact]
    public async Task What_an_answering_host_left_stuck_is_resumed_after_a_while_and_not_while_the_host_is_down()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(hosts: 1);
        var vm = await process.RunVmAsync(process.Draft("web-1"));
        var stuck = await StickAsync(world, vm, "answer-lost");
        await world.SqlAsync("UPDATE hosts SET state = 'down'");
        Assert.Equal(new ReconcileReport(1, 0), await process.Get<StuckOperations>().RunAsync(default));
        await world.SqlAsync("UPDATE hosts SET state = 'up'");

        Assert.Equal(new ReconcileReport(1, 1), await process.Get<StuckOperations>().RunAsync(default));

        Assert.Equal(OperationState.Succeeded, (await process.EndAsync(stuck)).State);
    }

    /// <summary>A deletion as it is after its first step has given up.</summary>
    private static async Task<OperationId> StickAsync(ControlPlaneWorld world, VirtualMachine vm, string code)
    {
        await using var idle = await world.StartAsync(runs: false);
        var accepted = await idle.AskAsync((DeleteVirtualMachineHandler h) => h.HandleAsync(new DeleteVirtualMachine(vm.Id, null), default));
        Assert.Null(accepted.Fault);
        var id = accepted.Value.Id.Value;
        await world.SqlAsync("UPDATE operations SET state = 'stuck', error_code = $2, error = 'silence', ended_at = now() - interval '1 hour' WHERE id = $1", id, code);
        await world.SqlAsync("INSERT INTO saga_log (saga_id, sequence, step, event, at) SELECT id, log_length, 'destroy-domain', 'failed', now() FROM sagas WHERE id = $1", id);
        await world.SqlAsync(
            "UPDATE sagas SET status = 'stuck', log_length = log_length + 1, failure_code = $2, failure_message = 'silence', lease_until = now() WHERE id = $1", id, code);
        return accepted.Value.Id;
    }

    private static async Task LoseAsync(ControlPlaneWorld world, ServerProcess process)
    {
        world.Hypervisors.Crash(process.Host("hv1"));
        for (var i = 0; i < ReconcilerOptions.Default.SilentPingsMax; i++)
            await BeatAsync(process);
        Assert.Equal(HostState.Down, (await HostAsync(process)).State);
    }

    private static Task<ReconcileReport> BeatAsync(ServerProcess process) => process.Get<HostHeartbeat>().RunAsync(CancellationToken.None);

    private static async Task<Host> HostAsync(ServerProcess process) => (await process.Get<HostStore>().FindByNameAsync("hv1", CancellationToken.None))!;
}

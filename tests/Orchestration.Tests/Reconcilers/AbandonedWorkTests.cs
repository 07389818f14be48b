using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration.Migrations;
using ControlPlane.Orchestration.Reconcilers;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Migrations;
using ControlPlane.Persistence.Operations;
using ControlPlane.Persistence.VirtualMachines;

namespace ControlPlane.Orchestration.Tests.Reconcilers;

/// <summary>Work that nothing carries on: what it held is let go, and what it was about is as its host shows it.</summary>
public sealed class AbandonedWorkTests
{
    /// <summary>The saga is gone as a whole, or it rests and its last word was lost.</summary>
    public static TheoryData<string> Ends => ["DELETE FROM sagas WHERE id = $1", "UPDATE sagas SET status = 'undone', updated_at = now() - interval '1 hour' WHERE id = $1"];

    [Theory, MemberData(nameof(Ends))]
    public async Task A_vm_whose_creation_nobody_carries_on_has_failed_and_holds_nothing(string end)
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        await using var idle = await world.StartAsync(runs: false);
        var before = await WorldDump.OfAsync(world, process);
        var accepted = await idle.CreateAsync(idle.Draft("web-1", AttachKind.Failover, drives: 1));
        Assert.Null(accepted.Fault);
        await world.SqlAsync(end, accepted.Value.Operation.Id.Value);

        Assert.Equal([(FindingKind.AbandonedVm, true)], await AuditAsync(process));

        var vm = await process.VmAsync(accepted.Value.Vm.Id);
        Assert.Equal((VmState.Failed, null, null), (vm.State, vm.Operation, vm.Host));
        Assert.Equal("create-failed", Assert.Single(vm.Conditions).Type);
        Assert.Equal(before, await WorldDump.OfAsync(world, process));
        Assert.Equal((OperationState.Failed, "abandoned"), await EndOfAsync(process, accepted.Value.Operation.Id));
        Assert.Empty(await AuditAsync(process));
    }

    [Fact]
    public async Task A_vm_whose_creation_got_as_far_as_its_guest_is_kept_running()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Vf));
        var before = await WorldDump.OfAsync(world, process);
        await world.SqlAsync("UPDATE virtual_machines SET state = 'pending', operation_id = $1", process.Get<IIdSource>().Next());

        Assert.Equal([(FindingKind.AbandonedVm, true)], await AuditAsync(process));

        Assert.Equal(before, await WorldDump.OfAsync(world, process));
        Assert.Equal(VmState.Running, await process.StateAsync(vm.Id));
    }

    [Theory]
    [InlineData("starting", true, VmState.Running)]
    [InlineData("stopping", true, VmState.Running)]
    [InlineData("stopping", false, VmState.Stopped)]
    [InlineData("running", true, VmState.Running)]
    [InlineData("migrating", true, VmState.Running)]
    public async Task A_vm_that_was_let_down_between_two_states_is_as_its_host_shows_it(string state, bool runs, VmState expected)
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1"));
        if (!runs)
            await (await process.HypervisorAsync(vm.Host!.Value)).DestroyAsync(vm.Ref(), default);
        await world.SqlAsync("UPDATE virtual_machines SET state = $1, operation_id = $2", state, process.Get<IIdSource>().Next());

        Assert.Equal([(FindingKind.AbandonedVm, true)], await AuditAsync(process));

        Assert.Equal((expected, null), ((await process.VmAsync(vm.Id)).State, (await process.VmAsync(vm.Id)).Operation));
    }

    [Fact]
    public async Task A_vm_that_was_let_down_in_a_migration_and_runs_not_where_it_is_recorded_is_for_people_to_judge()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1"));
        await (await process.HypervisorAsync(vm.Host!.Value)).DestroyAsync(vm.Ref(), default);
        await world.SqlAsync("UPDATE virtual_machines SET state = 'migrating', operation_id = $1", process.Get<IIdSource>().Next());

        Assert.Equal([(FindingKind.AbandonedVm, false)], await AuditAsync(process));

        Assert.Equal(VmState.Migrating, await process.StateAsync(vm.Id));
    }

    [Fact]
    public async Task A_deletion_that_nobody_carries_on_is_begun_again()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var before = await WorldDump.OfAsync(world, process);
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Vf));
        await world.SqlAsync("UPDATE virtual_machines SET state = 'deleting', operation_id = NULL");

        Assert.Equal([(FindingKind.AbandonedVm, true)], await AuditAsync(process));

        await process.UntilAsync(async () => await process.Get<VmStore>().FindAsync(vm.Id, default) is null);
        Assert.Equal(before, await WorldDump.OfAsync(world, process));
    }

    [Fact]
    public async Task What_is_under_way_or_stuck_is_not_abandoned()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        await using var idle = await world.StartAsync(runs: false);
        var moving = await process.RunVmAsync(process.Draft("web-1"));
        var stuck = await process.RunVmAsync(process.Draft("web-2"));
        await idle.AskAsync((MigrateVirtualMachineHandler h) => h.HandleAsync(new MigrateVirtualMachine(moving.Id, null, MigrationRequest.Default), default));
        var operation = (await idle.AskAsync((DeleteVirtualMachineHandler h) => h.HandleAsync(new DeleteVirtualMachine(stuck.Id, null), default))).Value;
        await world.SqlAsync("UPDATE operations SET state = 'stuck', ended_at = now() WHERE id = $1", operation.Id.Value);
        await world.SqlAsync("UPDATE sagas SET status = 'stuck' WHERE id = $1", operation.Id.Value);
        var before = await WorldDump.OfAsync(world, process);

        Assert.Empty(await AuditAsync(process));

        Assert.Equal(before, await WorldDump.OfAsync(world, process));
    }

    [Fact]
    public async Task An_operation_whose_saga_is_stuck_without_having_said_so_is_stuck_with_the_sagas_reason()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        await using var idle = await world.StartAsync(runs: false);
        var vm = await process.RunVmAsync(process.Draft("web-1"));
        var operation = (await idle.AskAsync((PauseVirtualMachineHandler h) => h.HandleAsync(new PauseVirtualMachine(vm.Id), default))).Value;
        await world.SqlAsync(
            "UPDATE sagas SET status = 'stuck', failure_code = 'unreadable-saga', failure_message = 'no plan', updated_at = now() - interval '1 hour' WHERE id = $1", operation.Id.Value);

        Assert.Equal([(FindingKind.AbandonedOperation, true)], await AuditAsync(process));

        Assert.Equal((OperationState.Stuck, "unreadable-saga"), await EndOfAsync(process, operation.Id));
    }

    [Fact]
    public async Task A_migration_whose_operation_is_over_no_longer_keeps_its_vm_from_moving()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1"));
        var first = await MigrateAsync(process, vm);
        await world.SqlAsync("UPDATE vm_migrations SET ended_at = NULL, state = 'running'");

        Assert.Equal([(FindingKind.AbandonedMigration, true)], await AuditAsync(process));

        Assert.NotNull((await process.Get<MigrationStore>().FindAsync(first.Id, default))!.EndedAt);
        await MigrateAsync(process, await process.VmAsync(vm.Id));
    }

    [Fact]
    public async Task A_mac_address_that_no_interface_has_can_be_taken_again()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Virtio));
        var before = await WorldDump.OfAsync(world, process);
        await world.SqlAsync("INSERT INTO mac_addresses (mac, vm_id, interface, network_id) SELECT '52:54:00:00:00:99', vm_id, 'gone', network_id FROM mac_addresses WHERE vm_id = $1", vm.Id.Value);

        Assert.Equal([(FindingKind.StrayMac, true)], await AuditAsync(process));

        Assert.Equal(before, await WorldDump.OfAsync(world, process));
    }

    private static async Task<IReadOnlyList<(FindingKind, bool)>> AuditAsync(ServerProcess process) =>
        [.. (await process.Get<AbandonedWorkAudit>().AuditAsync(CancellationToken.None)).Select(f => (f.Kind, f.Repaired))];

    private static async Task<(OperationState, string?)> EndOfAsync(ServerProcess process, OperationId id)
    {
        var operation = (await process.Get<OperationStore>().FindAsync(id, CancellationToken.None))!;
        return (operation.State, operation.ErrorCode);
    }

    private static async Task<Migration> MigrateAsync(ServerProcess process, VirtualMachine vm)
    {
        var migration = await process.AskAsync((MigrateVirtualMachineHandler h) => h.HandleAsync(new MigrateVirtualMachine(vm.Id, null, MigrationRequest.Default), default));
        Assert.Null(migration.Fault);
        Assert.Equal(OperationState.Succeeded, (await process.EndAsync(migration.Value.Operation)).State);
        return migration.Value;
    }
}

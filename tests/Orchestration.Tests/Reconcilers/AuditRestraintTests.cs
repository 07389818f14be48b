using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Orchestration.Migrations;
using ControlPlane.Orchestration.Reconcilers;
using ControlPlane.Orchestration.VirtualMachines;

namespace ControlPlane.Orchestration.Tests.Reconcilers;

/// <summary>What the auditor must leave alone, and that nothing else comes between its hands.</summary>
public sealed class AuditRestraintTests
{
    [Fact]
    public async Task What_an_operation_holds_is_left_alone_however_odd_it_looks()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        await using var idle = await world.StartAsync(runs: false);
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Vf, host: "hv1"));
        var accepted = await idle.AskAsync((PauseVirtualMachineHandler h) => h.HandleAsync(new PauseVirtualMachine(vm.Id), default));
        Assert.Null(accepted.Fault);
        await world.PlantDeviceAsync(process, process.Host("hv2"), vm.Id, DeviceState.Attached);
        await process.PlantDomainAsync(process.Host("hv2"), vm.Id, vm.Generation);
        await (await process.HypervisorAsync(process.Host("hv1"))).UnplugAsync(vm.Ref(), "net0", TimeSpan.FromSeconds(5), default);
        var before = await WorldDump.OfAsync(world, process);

        Assert.Empty(await process.AuditAsync());

        Assert.Equal(before, await WorldDump.OfAsync(world, process));
    }

    [Fact]
    public async Task What_has_just_changed_is_left_alone_until_the_grace_is_over()
    {
        var clock = new Testing.FakeTime();
        await using var world = await ControlPlaneWorld.CreateAsync(clock, Audits.Emulation);
        await using var process = await world.StartFleetAsync(Audits.AtOnce with { AuditGrace = TimeSpan.FromSeconds(30) });
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Vf, host: "hv1"));
        await world.PlantDeviceAsync(process, process.Host("hv2"), vm.Id, DeviceState.Attached);
        await process.PlantDomainAsync(process.Host("hv2"), new VmId(process.Get<IIdSource>().Next()), new Generation(1));

        Assert.Empty(await process.AuditAsync());
        clock.Advance(TimeSpan.FromSeconds(29));
        Assert.Empty(await process.AuditAsync());
        clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal([(FindingKind.UnknownDomain, true), (FindingKind.StrayDevice, true)], await process.AuditAsync());
    }

    [Fact]
    public async Task While_a_repair_touches_a_host_its_vm_takes_no_operation_and_afterwards_it_does()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Vf, host: "hv1"));
        await world.PlantDeviceAsync(process, process.Host("hv2"), vm.Id, DeviceState.Attached);
        world.Hypervisors.Faults.Delay(HypervisorCall.CleanDevice, TimeSpan.FromSeconds(1), host: process.Host("hv2"));

        var audit = process.AuditAsync();
        await process.UntilAsync(async () => (await process.VmAsync(vm.Id)).Operation is not null);
        var refused = await process.AskAsync((PauseVirtualMachineHandler h) => h.HandleAsync(new PauseVirtualMachine(vm.Id), default));

        Assert.Equal("operation-in-progress", refused.Fault?.Code);
        Assert.Equal([(FindingKind.StrayDevice, true)], await audit);
        await process.SucceedAsync(await process.AskAsync((PauseVirtualMachineHandler h) => h.HandleAsync(new PauseVirtualMachine(vm.Id), default)));
    }

    [Fact]
    public async Task A_repair_that_is_cut_short_lets_its_vm_go()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Vf, host: "hv1"));
        var device = await world.PlantDeviceAsync(process, process.Host("hv2"), vm.Id, DeviceState.Attached);
        world.Hypervisors.Faults.Delay(HypervisorCall.CleanDevice, TimeSpan.FromHours(1), host: process.Host("hv2"));
        using var stopping = new CancellationTokenSource();

        var audit = process.Get<LeakAuditor>().AuditAsync(stopping.Token);
        await process.UntilAsync(async () => (await process.DeviceAsync(device)).Ownership.State == DeviceState.Cleaning);
        await stopping.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => audit);
        Assert.Null((await process.VmAsync(vm.Id)).Operation);
        world.Hypervisors.Faults.Clear();
        Assert.Equal([(FindingKind.StrayDevice, true)], await process.AuditAsync());
    }

    [Fact]
    public async Task Two_servers_that_audit_at_once_mend_a_thing_once()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        await using var other = await world.StartAsync(runs: false);
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Vf, host: "hv1"));
        var before = await WorldDump.OfAsync(world, process);
        await world.PlantDeviceAsync(process, process.Host("hv2"), vm.Id, DeviceState.Attached);

        var rounds = await Task.WhenAll(process.AuditAsync(), other.AuditAsync());

        Assert.Equal((FindingKind.StrayDevice, true), Assert.Single(rounds.SelectMany(r => r)));
        Assert.Equal(before, await WorldDump.OfAsync(world, process));
    }

    /// <summary>The auditor runs without a pause while VMs come, move and go: every false alarm would be a finding, every harm a difference.</summary>
    [Fact]
    public async Task Auditing_without_a_pause_while_vms_are_created_migrated_and_deleted_finds_nothing_and_loses_nothing()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(hosts: 3);
        await using var other = await world.StartAsync(runs: false);
        var before = await WorldDump.OfAsync(world, process);
        using var over = new CancellationTokenSource();

        var audits = new[] { AuditUntilAsync(process, over.Token), AuditUntilAsync(other, over.Token) };
        await Task.WhenAll(Enumerable.Range(0, 4).Select(i => LiveAsync(process, i)));
        await over.CancelAsync();
        var findings = (await Task.WhenAll(audits)).SelectMany(f => f).ToList();

        Assert.Empty(findings);
        Assert.Empty(await process.AuditAsync());
        Assert.Equal(before, await WorldDump.OfAsync(world, process));
    }

    private static async Task<IReadOnlyList<(FindingKind, bool)>> AuditUntilAsync(ServerProcess process, CancellationToken over)
    {
        var findings = new List<(FindingKind, bool)>();
        while (!over.IsCancellationRequested)
        {
            findings.AddRange(await process.AuditAsync());
            await process.Get<AbandonedWorkAudit>().RunAsync(CancellationToken.None);
        }
        return findings;
    }

    private static async Task LiveAsync(ServerProcess process, int lane)
    {
        for (var life = 0; life < 4; life++)
        {
            var vm = await process.RunVmAsync(process.Draft($"vm-{lane}-{life}", life % 2 == 0 ? AttachKind.Failover : AttachKind.Virtio));
            var migration = await process.AskAsync((MigrateVirtualMachineHandler h) => h.HandleAsync(new MigrateVirtualMachine(vm.Id, null, MigrationRequest.Default), default));
            Assert.Null(migration.Fault);
            Assert.Equal((OperationState.Succeeded, null), await EndedAsync(process, migration.Value.Operation));
            await process.StopAsync(vm.Id);
            await process.SucceedAsync(await process.AskAsync((DeleteVirtualMachineHandler h) => h.HandleAsync(new DeleteVirtualMachine(vm.Id, null), default)));
        }
    }

    private static async Task<(OperationState, string?)> EndedAsync(ServerProcess process, OperationId id)
    {
        var operation = await process.EndAsync(id);
        return (operation.State, operation.Error);
    }
}

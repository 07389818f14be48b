using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Orchestration.Hosts;
using ControlPlane.Orchestration.Reconcilers;
using ControlPlane.Orchestration.VirtualMachines;

namespace ControlPlane.Orchestration.Tests.Reconcilers;

/// <summary>Devices that are in the wrong hands, in nobody's, or not where they should be.</summary>
public sealed class DeviceAuditTests
{
    [Theory]
    [InlineData(DeviceState.Reserved)]
    [InlineData(DeviceState.Attached)]
    [InlineData(DeviceState.Draining)]
    [InlineData(DeviceState.Cleaning)]
    public async Task A_device_that_was_left_behind_on_a_host_that_its_owner_is_not_on_is_proven_clean_and_free(DeviceState state)
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Vf, host: "hv1"));
        var before = await WorldDump.OfAsync(world, process);
        var device = await world.PlantDeviceAsync(process, process.Host("hv2"), vm.Id, state, prepared: state != DeviceState.Reserved);

        Assert.Equal([(FindingKind.StrayDevice, true)], await process.AuditAsync());

        Assert.Equal(before, await WorldDump.OfAsync(world, process));
        Assert.Equal((DeviceState.Free, device.Ownership.Generation), ((await process.DeviceAsync(device)).Ownership.State, (await process.DeviceAsync(device)).Ownership.Generation));
        Assert.Equal(VmState.Running, await process.StateAsync(vm.Id));
        Assert.Empty(await process.AuditAsync());
    }

    [Fact]
    public async Task A_device_that_was_left_behind_and_does_not_reset_is_quarantined_with_the_reason()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(hosts: 1);
        var broken = await process.AddHostAsync("hv2", "numa", new Dictionary<string, string> { [HostLabels.Reset] = "fail" });
        var vm = await process.RunVmAsync(process.Draft("web-1", host: "hv1"));
        var device = await world.PlantDeviceAsync(process, broken.Id, vm.Id, DeviceState.Attached);

        await process.AuditAsync();

        var ownership = (await process.DeviceAsync(device)).Ownership;
        Assert.Equal(DeviceState.Quarantined, ownership.State);
        Assert.StartsWith("reset failed", ownership.QuarantineReason);
        Assert.Empty(await process.AuditAsync());
    }

    [Fact]
    public async Task A_device_that_a_vm_no_longer_lists_leaves_its_guest_before_it_is_cleaned()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", drives: 1));
        var device = Assert.Single(await process.OwnedAsync(vm.Id));
        await world.SqlAsync("UPDATE virtual_machines SET attachments = '[]' WHERE id = $1", vm.Id.Value);

        Assert.Equal([(FindingKind.StrayDevice, true)], await process.AuditAsync());

        Assert.Empty((await process.DomainAsync(vm.Host!.Value, vm.Id))!.Devices);
        Assert.Equal(DeviceState.Free, (await process.DeviceAsync(device)).Ownership.State);
        Assert.Equal((VmState.Running, null), ((await process.VmAsync(vm.Id)).State, (await process.VmAsync(vm.Id)).Operation));
    }

    [Fact]
    public async Task A_guest_that_does_not_let_a_stray_device_go_keeps_it_and_nobody_else_gets_it()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var stubborn = process.Draft("web-1", drives: 1) with { Labels = new Dictionary<string, string> { [GuestLabels.Unplug] = "ignore" } };
        var vm = await process.RunVmAsync(stubborn);
        var device = Assert.Single(await process.OwnedAsync(vm.Id));
        await world.SqlAsync("UPDATE virtual_machines SET attachments = '[]' WHERE id = $1", vm.Id.Value);

        Assert.Equal([(FindingKind.StrayDevice, false)], await process.AuditAsync());

        Assert.Single((await process.DomainAsync(vm.Host!.Value, vm.Id))!.Devices);
        Assert.Equal(device.Ownership, (await process.DeviceAsync(device)).Ownership);
        Assert.Null((await process.VmAsync(vm.Id)).Operation);
    }

    [Fact]
    public async Task A_device_that_fell_out_of_a_running_guest_is_plugged_again_at_its_old_address()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Failover));
        var before = await WorldDump.OfAsync(world, process);
        await (await process.HypervisorAsync(vm.Host!.Value)).UnplugAsync(vm.Ref(), "net0", TimeSpan.FromSeconds(5), default);

        Assert.Equal([(FindingKind.MissingDevice, true)], await process.AuditAsync());

        Assert.Equal(before, await WorldDump.OfAsync(world, process));
        Assert.Empty((await process.VmAsync(vm.Id)).Conditions);
        Assert.Empty(await process.AuditAsync());
    }

    [Fact]
    public async Task A_device_that_cannot_be_plugged_again_degrades_its_vm_until_it_can()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Failover));
        await (await process.HypervisorAsync(vm.Host!.Value)).UnplugAsync(vm.Ref(), "net0", TimeSpan.FromSeconds(5), default);
        world.Hypervisors.Faults.Fail(HypervisorCall.Plug, Fault.Conflict("no-slot", "The slot does not answer."));

        Assert.Equal([(FindingKind.MissingDevice, false)], await process.AuditAsync());

        var degraded = await process.VmAsync(vm.Id);
        var condition = Assert.Single(degraded.Conditions);
        Assert.Equal(ConditionTypes.DegradedInterface, condition.Type);
        Assert.Contains("The slot does not answer.", condition.Reason);
        Assert.False(Assert.Single(degraded.Attachments).Plugged);

        Assert.Equal([(FindingKind.MissingDevice, true)], await process.AuditAsync());
        var mended = await process.VmAsync(vm.Id);
        Assert.Empty(mended.Conditions);
        Assert.True(Assert.Single(mended.Attachments).Plugged);
    }

    [Fact]
    public async Task A_repair_that_did_not_work_is_not_tried_at_every_round()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(Audits.AtOnce with { RetryRepair = TimeSpan.FromHours(1), RetryRepairMax = TimeSpan.FromHours(1) });
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Failover));
        await (await process.HypervisorAsync(vm.Host!.Value)).UnplugAsync(vm.Ref(), "net0", TimeSpan.FromSeconds(5), default);
        world.Hypervisors.Faults.Fail(HypervisorCall.Plug, Fault.Conflict("no-slot", "The slot does not answer."));
        await process.AuditAsync();
        var generation = (await process.VmAsync(vm.Id)).Generation;

        Assert.Empty(await process.AuditAsync());

        Assert.Equal(generation, (await process.VmAsync(vm.Id)).Generation);
    }

    [Fact]
    public async Task A_free_device_that_its_host_holds_for_a_guest_is_cleaned_under_a_new_generation()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", host: "hv1"));
        var before = await WorldDump.OfAsync(world, process);
        var device = await world.PlantDeviceAsync(process, process.Host("hv2"), vm.Id, DeviceState.Attached);
        await world.SqlAsync("UPDATE pci_devices SET state = 'free', owner_vm_id = NULL, owner_name = NULL WHERE owner_vm_id = $1", vm.Id.Value);

        Assert.Equal([(FindingKind.BoundDevice, true)], await process.AuditAsync());

        Assert.Equal(before, await WorldDump.OfAsync(world, process));
        Assert.Equal(device.Ownership.Generation.Next(), (await process.DeviceAsync(device)).Ownership.Generation);
        var late = await (await process.HypervisorAsync(device.Host)).CleanDeviceAsync(new DeviceClaim(device.Address, device.Ownership.Generation), default);
        Assert.Equal("stale-generation", late.Fault?.Code);
    }

    [Fact]
    public async Task A_device_that_a_vm_lists_and_does_not_own_is_recorded_as_away_and_kept_from_all_others()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Failover));
        var device = Assert.Single(await process.OwnedAsync(vm.Id));
        await world.SqlAsync("UPDATE pci_devices SET state = 'free', owner_vm_id = NULL, owner_name = NULL WHERE owner_vm_id = $1", vm.Id.Value);

        var findings = await process.AuditAsync();

        Assert.Equal([(FindingKind.BoundDevice, true), (FindingKind.LostDevice, true)], findings);
        Assert.Equal(ConditionTypes.DegradedInterface, Assert.Single((await process.VmAsync(vm.Id)).Conditions).Type);
        var ownership = (await process.DeviceAsync(device)).Ownership;
        Assert.Equal((DeviceState.Quarantined, "a VMM still holds it open"), (ownership.State, ownership.QuarantineReason));
    }

    [Fact]
    public async Task A_device_whose_host_knows_a_generation_that_was_never_given_out_is_left_alone()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", host: "hv1"));
        var device = await world.PlantDeviceAsync(process, process.Host("hv2"), vm.Id, DeviceState.Attached);
        await world.SqlAsync(
            "UPDATE pci_devices SET state = 'free', owner_vm_id = NULL, owner_name = NULL, generation = generation - 1 WHERE owner_vm_id = $1", vm.Id.Value);
        var before = await WorldDump.OfAsync(world, process);

        Assert.Equal([(FindingKind.UnknownGeneration, false)], await process.AuditAsync());

        Assert.Equal(before, await WorldDump.OfAsync(world, process));
        Assert.Equal(device.Address, (await process.DeviceAsync(device)).Address);
    }

    [Fact]
    public async Task A_cleaning_that_nobody_carries_on_is_finished()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var device = await process.FreeDeviceAsync(process.Host("hv1"));
        var before = await WorldDump.OfAsync(world, process);
        await world.SqlAsync("UPDATE pci_devices SET state = 'cleaning' WHERE host_id = $1 AND address = $2", device.Host.Value, Audits.Pack(device.Address));

        Assert.Equal([(FindingKind.UnfinishedCleaning, true)], await process.AuditAsync());

        Assert.Equal(before, await WorldDump.OfAsync(world, process));
    }

    [Fact]
    public async Task A_function_that_was_withheld_for_an_operation_that_is_over_is_given_back()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var device = await process.FreeDeviceAsync(process.Host("hv1"));
        var before = await WorldDump.OfAsync(world, process);
        await world.SqlAsync("UPDATE pci_devices SET state = 'host' WHERE host_id = $1 AND address = $2", device.Host.Value, Audits.Pack(device.Address));

        Assert.Equal([(FindingKind.WithheldDevice, true)], await process.AuditAsync());

        Assert.Equal(before, await WorldDump.OfAsync(world, process));
    }

    [Fact]
    public async Task What_an_operation_on_the_host_withholds_or_cleans_is_left_alone()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        await using var idle = await world.StartAsync(runs: false);
        var devices = (await process.Get<Persistence.Pci.DeviceStore>().ByHostAsync(process.Host("hv1"), default)).Where(d => d is { Present: true, Ownership.State: DeviceState.Free }).ToList();
        var physical = devices[0].Facts.PhysicalFunction!.Value;
        var accepted = await idle.AskAsync((SetVirtualFunctionCountHandler h) => h.HandleAsync(new SetVirtualFunctionCount(process.Host("hv1"), physical, 1), default));
        Assert.Null(accepted.Fault);
        await world.SqlAsync("UPDATE pci_devices SET state = 'cleaning' WHERE host_id = $1 AND address = $2 AND state = 'free'", devices[^1].Host.Value, Audits.Pack(devices[^1].Address));
        var before = await WorldDump.OfAsync(world, process);

        Assert.Empty(await process.AuditAsync());

        Assert.Equal(before, await WorldDump.OfAsync(world, process));
    }
}

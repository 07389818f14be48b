using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.Reconcilers;
using ControlPlane.Orchestration.VirtualMachines;

namespace ControlPlane.Orchestration.Tests.Reconcilers;

/// <summary>Domains where none should be, and guests that are not as they are recorded.</summary>
public sealed class DomainAuditTests
{
    private static readonly VmId Nobody = new(new Guid("00000000-0000-7000-8000-0000000000ff"));

    [Fact]
    public async Task A_fleet_in_order_has_no_findings_and_is_not_touched()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var running = await process.RunVmAsync(process.Draft("web-1", AttachKind.Failover, drives: 2));
        var stopped = await process.RunVmAsync(process.Draft("web-2", AttachKind.Vf));
        await process.StopAsync(stopped.Id);
        var before = await WorldDump.OfAsync(world, process);
        var generations = await world.CountAsync("SELECT sum(generation) FROM virtual_machines");

        Assert.Empty(await process.AuditAsync());

        Assert.Equal(before, await WorldDump.OfAsync(world, process));
        Assert.Equal(generations, await world.CountAsync("SELECT sum(generation) FROM virtual_machines"));
        Assert.Equal(VmState.Running, await process.StateAsync(running.Id));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_domain_of_no_vm_is_ended_and_forgotten(bool runs)
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var before = await WorldDump.OfAsync(world, process);
        await process.PlantDomainAsync(process.Host("hv1"), Nobody, new Generation(1), starts: runs);

        Assert.Equal([(FindingKind.UnknownDomain, true)], await process.AuditAsync());

        Assert.Equal(before, await WorldDump.OfAsync(world, process));
        Assert.Equal(["unknown-domain"], await process.ToldAsync());
        Assert.Empty(await process.AuditAsync());
    }

    [Fact]
    public async Task Many_unknown_domains_are_a_database_that_forgot_and_none_is_touched()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(Audits.AtOnce with { UnknownDomainsMax = 2, RetryRepair = TimeSpan.FromHours(1), RetryRepairMax = TimeSpan.FromHours(1) });
        var ids = process.Get<IIdSource>();
        for (var i = 0; i < 3; i++)
            await process.PlantDomainAsync(process.Host("hv1"), new VmId(ids.Next()), new Generation(1));

        Assert.Equal(Enumerable.Repeat((FindingKind.UnknownDomain, false), 3), await process.AuditAsync());

        var domains = (await (await process.HypervisorAsync(process.Host("hv1"))).ListDomainsAsync(default)).Value;
        Assert.Equal(3, domains.Count(d => d.State == DomainState.Running));
        Assert.Empty(await process.AuditAsync()); // Told once, not at every round.
        Assert.Equal(3, (await process.ToldAsync()).Count);
    }

    [Fact]
    public async Task A_second_copy_of_a_vm_that_runs_where_it_is_recorded_is_ended()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Failover, host: "hv1"));
        var before = await WorldDump.OfAsync(world, process);
        await process.PlantDomainAsync(process.Host("hv2"), vm.Id, vm.Generation);

        Assert.Equal([(FindingKind.StrayDomain, true)], await process.AuditAsync());

        Assert.Equal(before, await WorldDump.OfAsync(world, process));
        Assert.Equal(DomainState.Running, (await process.DomainAsync(process.Host("hv1"), vm.Id))?.State);
        Assert.Empty(await process.AuditAsync());
    }

    [Fact]
    public async Task The_last_living_copy_of_a_vm_is_never_ended_and_the_vm_is_not_free_to_be_started_again()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", host: "hv1"));
        await process.PlantDomainAsync(process.Host("hv2"), vm.Id, vm.Generation);
        await (await process.HypervisorAsync(process.Host("hv1"))).DestroyAsync(vm.Ref(), default);

        var findings = (await process.AuditAsync()).Concat(await process.AuditAsync()).ToList();

        Assert.Contains((FindingKind.StrayDomain, false), findings);
        Assert.DoesNotContain(findings, f => f.Repaired);
        Assert.Equal(DomainState.Running, (await process.DomainAsync(process.Host("hv2"), vm.Id))?.State);
        Assert.Equal((VmState.Running, null), ((await process.VmAsync(vm.Id)).State, (await process.VmAsync(vm.Id)).Operation));
    }

    [Fact]
    public async Task A_guest_is_not_taken_to_be_off_because_its_record_changed_after_it_was_seen_elsewhere()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", host: "hv1"));
        await process.PlantDomainAsync(process.Host("hv2"), vm.Id, vm.Generation);
        await (await process.HypervisorAsync(process.Host("hv1"))).DestroyAsync(vm.Ref(), default);

        // The audit of hv2 takes hold of the VM and lets it go again, which changes its record.
        Assert.Equal([(FindingKind.StrayDomain, false)], await process.AuditHostAsync("hv2"));
        Assert.True((await process.VmAsync(vm.Id)).Generation > vm.Generation);
        Assert.Equal([(FindingKind.MisplacedGuest, false)], await process.AuditHostAsync("hv1"));

        Assert.Equal(VmState.Running, await process.StateAsync(vm.Id));
    }

    [Fact]
    public async Task A_guest_is_taken_to_be_off_when_the_host_it_was_seen_on_has_it_no_more_and_not_while_that_host_is_silent()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", host: "hv1"));
        await process.PlantDomainAsync(process.Host("hv2"), vm.Id, vm.Generation);
        await (await process.HypervisorAsync(process.Host("hv1"))).DestroyAsync(vm.Ref(), default);
        await process.AuditHostAsync("hv2");

        world.Hypervisors.Crash(process.Host("hv2"));
        Assert.Equal([(FindingKind.MisplacedGuest, false)], await process.AuditHostAsync("hv1"));
        world.Hypervisors.Revive(process.Host("hv2"));
        Assert.Equal([(FindingKind.GuestOff, true)], await process.AuditHostAsync("hv1"));

        Assert.Equal(VmState.Stopped, await process.StateAsync(vm.Id));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_vm_whose_guest_is_off_or_gone_is_recorded_as_stopped_and_starts_again_with_its_devices(bool gone)
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Vf));
        var hypervisor = await process.HypervisorAsync(vm.Host!.Value);
        await hypervisor.DestroyAsync(vm.Ref(), default);
        if (gone)
            await hypervisor.UndefineAsync(vm.Ref(), DiskFate.Delete, default);

        Assert.Equal([(FindingKind.GuestOff, true)], await process.AuditAsync());

        Assert.Equal(VmState.Stopped, await process.StateAsync(vm.Id));
        Assert.Equal(DeviceState.Attached, Assert.Single(await process.OwnedAsync(vm.Id)).Ownership.State);
        await process.SucceedAsync(await process.AskAsync((StartVirtualMachineHandler h) =>
            h.HandleAsync(new StartVirtualMachine(vm.Id), default)));
        Assert.Single((await process.DomainAsync(vm.Host.Value, vm.Id))!.Devices);
    }

    [Fact]
    public async Task A_guest_that_was_paused_and_resumed_by_hand_is_recorded_so()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1"));
        var hypervisor = await process.HypervisorAsync(vm.Host!.Value);

        await hypervisor.PauseAsync(vm.Ref(), default);
        Assert.Equal([(FindingKind.GuestPaused, true)], await process.AuditAsync());
        Assert.Equal(VmState.Paused, await process.StateAsync(vm.Id));
        await hypervisor.ResumeAsync(vm.Ref(), default);
        Assert.Equal([(FindingKind.GuestResumed, true)], await process.AuditAsync());

        Assert.Equal(VmState.Running, await process.StateAsync(vm.Id));
    }

    [Fact]
    public async Task A_guest_that_was_started_by_hand_is_told_of_and_left_alone()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1"));
        await process.StopAsync(vm.Id);
        vm = await process.VmAsync(vm.Id);
        await (await process.HypervisorAsync(vm.Host!.Value)).StartAsync(vm.Ref(), default);

        Assert.Equal([(FindingKind.GuestRuns, false)], await process.AuditAsync());

        Assert.Equal(DomainState.Running, (await process.DomainAsync(vm.Host.Value, vm.Id))?.State);
        Assert.Equal((VmState.Stopped, vm.Generation), ((await process.VmAsync(vm.Id)).State, (await process.VmAsync(vm.Id)).Generation));
    }

    [Fact]
    public async Task A_host_that_does_not_answer_is_not_judged()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(hosts: 1);
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Vf));
        world.Hypervisors.Crash(process.Host("hv1"));

        Assert.Empty(await process.AuditAsync());

        Assert.Equal((VmState.Running, HostState.Up), (await process.StateAsync(vm.Id), process.Get<FleetDirectory>().FindHost("hv1")!.State));
    }
}

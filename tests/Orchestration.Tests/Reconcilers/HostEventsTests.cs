using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Orchestration.Reconcilers;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Pci;
using ControlPlane.Testing;

namespace ControlPlane.Orchestration.Tests.Reconcilers;

/// <summary>What hosts tell of themselves is followed at once, without waiting for an audit.</summary>
public sealed class HostEventsTests
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task A_guest_that_powers_itself_off_is_recorded_as_stopped()
    {
        var clock = new FakeTime();
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation, hostClock: clock);
        await using var process = await world.StartFleetAsync(hosts: 1);
        using var over = new CancellationTokenSource();
        var following = process.Get<HostEvents>().FollowAsync(process.Host("hv1"), over.Token);
        var vm = await process.RunVmAsync(Mortal(process));

        clock.Advance(Lifetime);

        await process.UntilAsync(async () => await process.StateAsync(vm.Id) == VmState.Stopped);
        Assert.Equal(["guest-off"], await process.ToldAsync());
        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);
    }

    [Fact]
    public async Task Functions_that_come_or_go_are_in_the_inventory_at_once()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(hosts: 1);
        var host = process.Host("hv1");
        using var over = new CancellationTokenSource();
        var following = process.Get<HostEvents>().FollowAsync(host, over.Token);
        var physical = (await process.FreeDeviceAsync(host)).Facts.PhysicalFunction!.Value;

        Assert.Null((await (await process.HypervisorAsync(host)).SetVirtualFunctionCountAsync(physical, 1, default)).Fault);

        await process.UntilAsync(async () => await PresentAsync(process, host, physical) == 1);
        Assert.Equal(1, await PresentAsync(process, host, physical));
        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);
    }

    [Fact]
    public async Task A_device_that_a_guest_let_go_too_late_is_plugged_again()
    {
        var clock = new FakeTime();
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation, hostClock: clock);
        await using var process = await world.StartFleetAsync(hosts: 1);
        using var over = new CancellationTokenSource();
        var following = process.Get<HostEvents>().FollowAsync(process.Host("hv1"), over.Token);
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Vf) with { Labels = new Dictionary<string, string> { [GuestLabels.Unplug] = "late:60s" } });
        var unplug = (await process.HypervisorAsync(vm.Host!.Value)).UnplugAsync(vm.Ref(), "net0", TimeSpan.FromSeconds(1), default);
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(Hypervisor.UnplugResult.TimedOut, (await unplug).Value);
        Assert.Single((await process.DomainAsync(vm.Host.Value, vm.Id))!.Devices);

        clock.Advance(TimeSpan.FromMinutes(2));

        await process.UntilAsync(async () => (await process.ToldAsync()).Count > 0);
        Assert.Equal(["missing-device"], await process.ToldAsync());
        Assert.Equal("net0", Assert.Single((await process.DomainAsync(vm.Host.Value, vm.Id))!.Devices).Name);
        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);
    }

    [Fact]
    public async Task A_rescan_records_what_is_new_and_nothing_when_nothing_is()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(hosts: 1);
        var host = process.Host("hv1");
        var generation = await GenerationAsync(process);

        Assert.Equal(new ReconcileReport(1, 0), await process.Get<InventoryRescan>().RunAsync(default));
        Assert.Equal(generation, await GenerationAsync(process));
        var physical = (await process.FreeDeviceAsync(host)).Facts.PhysicalFunction!.Value;
        Assert.Null((await (await process.HypervisorAsync(host)).SetVirtualFunctionCountAsync(physical, 0, default)).Fault);
        Assert.Equal(new ReconcileReport(1, 1), await process.Get<InventoryRescan>().RunAsync(default));

        Assert.Equal(0, await PresentAsync(process, host, physical));
        Assert.Equal(new ReconcileReport(1, 0), await process.Get<InventoryRescan>().RunAsync(default));
    }

    private static VirtualMachines.VmDraft Mortal(ServerProcess process) =>
        process.Draft("web-1") with { Labels = new Dictionary<string, string> { [GuestLabels.PowerOffAfter] = $"{Lifetime.TotalSeconds:0}s" } };

    private static async Task<int> PresentAsync(ServerProcess process, HostId host, PciAddress physical) =>
        (await process.Get<DeviceStore>().ByHostAsync(host, CancellationToken.None)).Count(d => d.Present && d.Facts.PhysicalFunction == physical);

    private static async Task<Generation> GenerationAsync(ServerProcess process) => (await process.Get<HostStore>().FindByNameAsync("hv1", CancellationToken.None))!.Generation;
}

using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Orchestration.Hosts;
using ControlPlane.Orchestration.Reconcilers;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Pci;

namespace ControlPlane.Orchestration.Tests.Reconcilers;

/// <summary>Hosts of one chassis hand a controller to each other; the inventory follows by their events alone.</summary>
public sealed class HandOverTests
{
    private static readonly PciAddress Controller = PciAddress.Parse("0000:42:00.0");
    private static readonly Dictionary<string, string> InOneChassis = new()
    {
        [HostLabels.ChassisName] = "c1", [$"{HostLabels.MultiRoot}.{Controller}"] = "drives",
    };

    [Fact]
    public async Task A_controller_goes_to_the_host_that_claims_it_once_no_vm_has_a_function_of_it_and_a_vm_there_gets_one()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await (await world.StartAsync()).WithFleetAsync(hosts: 0);
        var source = (await process.AddHostAsync("hv1", "numa", InOneChassis)).Id;
        var target = (await process.AddHostAsync("hv2", "numa", InOneChassis)).Id;
        await process.Get<HostLeases>().RunAsync(default);
        using var over = new CancellationTokenSource();
        Task[] following = [process.Get<HostEvents>().FollowAsync(source, over.Token), process.Get<HostEvents>().FollowAsync(target, over.Token)];
        var first = await process.RunVmAsync(process.Draft("db-1", drives: 1, host: "hv1"));
        Assert.Equal("no-placement", (await process.CreateAsync(process.Draft("db-2", drives: 1, host: "hv2"))).Fault?.Code);

        await ClaimAsync(process, target);
        Assert.Equal(1, (await CountedAsync(process, target)).GetValueOrDefault("waits-in-guest"));
        Assert.NotEmpty(await PresentAsync(process, source));
        await process.SucceedAsync(await process.AskAsync((DeleteVirtualMachineHandler h) => h.HandleAsync(new DeleteVirtualMachine(first.Id, null), default)));

        await process.UntilAsync(async () => (await PresentAsync(process, target)).Count > 0);
        await process.UntilAsync(async () => (await PresentAsync(process, source)).Count == 0);
        var second = await process.RunVmAsync(process.Draft("db-2", drives: 1, host: "hv2"));
        var device = Assert.Single(await process.OwnedAsync(second.Id));
        Assert.Equal((target, Controller), (device.Host, device.Facts.PhysicalFunction));
        Assert.Equal(0, (await CountedAsync(process, target)).GetValueOrDefault("waits-in-guest"));
        await over.CancelAsync();
        foreach (var stream in following)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stream);
    }

    private static async Task ClaimAsync(ServerProcess process, HostId host)
    {
        var labels = new Dictionary<string, string>(InOneChassis) { [HostLabels.Claim] = "drives" };
        Assert.Null((await process.AskAsync((UpdateHostHandler h) => h.HandleAsync(new UpdateHost(host, labels, null), default))).Fault);
    }

    /// <summary>The controller's functions that the host is recorded to have.</summary>
    private static async Task<IReadOnlyList<PciDevice>> PresentAsync(ServerProcess process, HostId host) =>
        [.. (await process.Get<DeviceStore>().ByHostAsync(host, default)).Where(d => d.Present && (d.Address == Controller || d.Facts.PhysicalFunction == Controller))];

    /// <summary>Two readings: what the first call of a host with new labels sets off happens right after it.</summary>
    private static async Task<Dictionary<string, long>> CountedAsync(ServerProcess process, HostId host)
    {
        var hypervisor = await process.HypervisorAsync(host);
        await hypervisor.PingAsync(default);
        return (await hypervisor.Statistics.ReadHostStatisticsAsync(default)).Value.Groups.Single(g => g.Name == "multi-root-drives").Counters.ToDictionary(c => c.Name, c => c.Value);
    }
}

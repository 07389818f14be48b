using System.Net;
using System.Net.NetworkInformation;
using ControlPlane.Lab;
using ControlPlane.Lab.Probes;

namespace ControlPlane.Libvirt.Rig.Tests;

/// <summary>Real virtual functions, bound to vfio-pci behind an emulated IOMMU, and a real guest that acknowledges their coming and going.</summary>
public sealed class FunctionCycleTests
{
    private static readonly string Rig =
        Path.Combine(Environment.GetEnvironmentVariable("CONTROLPLANE_LAB") ?? TwoHostsOptions.LabDirectory, "sriov");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_guest_moves_to_the_other_host_and_has_a_function_before_and_after_while_its_standby_carries_the_traffic_between()
    {
        using var log = new CycleLog(Path.Combine(Rig, "cycle.log"));
        log.Say($"load {CycleLog.Load} on {Environment.ProcessorCount} cores; {await File.ReadAllTextAsync(Path.Combine(Rig, "tree", ".complete"), Ct)}");
        using var source = await NestedHost.OpenAsync(1, Ct);
        using var target = await NestedHost.OpenAsync(2, Ct);
        log.Say($"client: libvirt {source.Connection.LibraryVersion}");
        await using var probes = ProbeStream.Start(new ProbeStreamOptions(
            Path.Combine(Rig, "probe.sock"), Path.Combine(Rig, "host1", "probe.sock"), PhysicalAddress.Parse("52-54-00-AA-00-60"), IPAddress.Parse("10.99.0.50")), TimeProvider.System);
        var cycle = new GuestCycle(log, probes);
        await log.PartAsync("traffic flows over the standby", () => cycle.TrafficFlowsAsync(Ct));
        await cycle.StandbyCarriesAsync(source, expected: true, Ct);

        var before = await cycle.PlugAsync(source, Ct);
        await cycle.StandbyCarriesAsync(source, expected: false, Ct);
        var interrupted = probes.Now;
        await cycle.UnplugAsync(source, Ct);
        await cycle.MigrateAsync(source, target, Ct);
        await cycle.StandbyCarriesAsync(target, expected: true, Ct);
        var after = await cycle.PlugAsync(target, Ct);
        await cycle.StandbyCarriesAsync(target, expected: false, Ct);

        var whole = probes.Trace().Between(interrupted, probes.Now);
        log.Figures("from unplug on the source to the function on the target", whole);
        log.Say($"load {CycleLog.Load}; the function's address in the guest: {before} before, {after} after");
        Assert.Equal(before, after);
        Assert.True(whole.Sent > whole.Lost, "no probe was answered while the function was away");
    }
}

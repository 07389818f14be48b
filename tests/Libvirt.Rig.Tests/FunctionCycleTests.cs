using System.Globalization;

namespace ControlPlane.Libvirt.Rig.Tests;

/// <summary>Real virtual functions, bound to vfio-pci behind an emulated IOMMU, and a real guest that acknowledges their coming and going.</summary>
public sealed class FunctionCycleTests
{
    private const string Mac = "52:54:00:aa:00:60";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_guest_moves_to_the_other_host_and_has_a_function_before_and_after_while_its_standby_carries_the_traffic_between()
    {
        await using var hosts = await NestedHosts.FreshAsync("== unplug, migrate, replug", Ct);
        var (cycle, source, target) = (hosts.Cycle, hosts.First, hosts.Second);
        await hosts.Log.PartAsync("traffic flows over the standby", () => cycle.TrafficFlowsAsync(Ct));
        await cycle.StandbyCarriesAsync(source, expected: true, Ct);

        using var plugging = await NicWatch.StartAsync(source, hosts.Probes, Mac, Ct);
        var before = await cycle.PlugAsync(source, Ct);
        var plugged = await plugging.StopAsync();
        await cycle.StandbyCarriesAsync(source, expected: false, Ct);
        var interrupted = hosts.Probes.Now;
        using var unplugging = await NicWatch.StartAsync(source, hosts.Probes, Mac, Ct);
        await cycle.UnplugAsync(source, Ct);
        var unplugged = await unplugging.StopAsync();
        await cycle.MigrateAsync(source, target, Ct);
        await cycle.StandbyCarriesAsync(target, expected: true, Ct);
        var after = await cycle.PlugAsync(target, Ct);
        await cycle.StandbyCarriesAsync(target, expected: false, Ct);

        var whole = await cycle.TellTrafficAsync("from unplug on the source to the function on the target", interrupted, Ct);
        AssertDeafNicIsWhatSilenceIs(hosts, "plug", plugged);
        AssertDeafNicIsWhatSilenceIs(hosts, "unplug", unplugged);
        hosts.Log.Say($"the function's address in the guest: {before} before, {after} after");
        Assert.Equal(before, after);
        Assert.True(whole.Sent > whole.Lost, "no probe was answered while the function was away");
    }

    [Fact]
    public async Task A_function_that_is_its_teams_transient_one_leaves_and_comes_by_itself_with_a_migration()
    {
        await using var hosts = await NestedHosts.FreshAsync("== migrate with the function, left to QEMU", Ct);
        var (cycle, source, target) = (hosts.Cycle, hosts.First, hosts.Second);
        var before = await cycle.PlugAsync(source, Ct);
        await cycle.StandbyCarriesAsync(source, expected: false, Ct);
        var interrupted = hosts.Probes.Now;

        var after = await cycle.MigrateWithFunctionAsync(source, target, Ct);
        await cycle.StandbyCarriesAsync(target, expected: false, Ct);

        await cycle.TellTrafficAsync("from the migration's begin to the function on the target", interrupted, Ct);
        Assert.Equal(before, after);
    }

    /// <summary>
    /// The silence of a plug or unplug is the NIC's doing: while its filter gives the MAC to a function whose ring nobody has open, not one probe is
    /// answered, although the standby is up all the time.
    /// </summary>
    private static void AssertDeafNicIsWhatSilenceIs(NestedHosts hosts, string part, IReadOnlyList<Reading> readings)
    {
        foreach (var (reading, before) in readings.Zip(readings.Prepend(null)).Where(pair => pair.First.Receiver != pair.Second?.Receiver))
            hosts.Log.Say(string.Create(CultureInfo.InvariantCulture, $"NIC, {part}: from {reading.To.TotalSeconds:0.0} s of the stream on, frames of {Mac} go to {reading.Receiver} (before: {before?.Receiver})"));
        var deaf = NicWatch.WhileDeaf(readings, hosts.Probes.Trace());
        Assert.NotNull(deaf);
        hosts.Log.Figures($"{part}, while the NIC's filter names a function that does not listen", deaf);
        Assert.Equal(deaf.Sent, deaf.Lost);
    }
}

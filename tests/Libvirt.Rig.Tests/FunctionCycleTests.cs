namespace ControlPlane.Libvirt.Rig.Tests;

/// <summary>Real virtual functions, bound to vfio-pci behind an emulated IOMMU, and a real guest that acknowledges their coming and going.</summary>
public sealed class FunctionCycleTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_guest_moves_to_the_other_host_and_has_a_function_before_and_after_while_its_standby_carries_the_traffic_between()
    {
        await using var hosts = await NestedHosts.FreshAsync("== unplug, migrate, replug", Ct);
        var (cycle, source, target) = (hosts.Cycle, hosts.First, hosts.Second);
        await hosts.Log.PartAsync("traffic flows over the standby", () => cycle.TrafficFlowsAsync(Ct));
        await cycle.StandbyCarriesAsync(source, expected: true, Ct);

        var before = await cycle.PlugAsync(source, Ct);
        await cycle.StandbyCarriesAsync(source, expected: false, Ct);
        var interrupted = hosts.Probes.Now;
        await cycle.UnplugAsync(source, Ct);
        await cycle.MigrateAsync(source, target, Ct);
        await cycle.StandbyCarriesAsync(target, expected: true, Ct);
        var after = await cycle.PlugAsync(target, Ct);
        await cycle.StandbyCarriesAsync(target, expected: false, Ct);

        var whole = await cycle.TellTrafficAsync("from unplug on the source to the function on the target", interrupted, Ct);
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
}

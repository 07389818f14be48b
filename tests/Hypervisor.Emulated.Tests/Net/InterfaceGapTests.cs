using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Net;

/// <summary>The gap of an interface is what its probe frames met on their way.</summary>
public sealed class InterfaceGapTests : EmulatedTest
{
    [Fact]
    public Task A_failover_pair_is_silent_for_its_change_of_path_and_the_downtime_at_most() => OnTestFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);

        var gap = Assert.Single(await MigrateWithDevice(fleet, definition));

        var downtime = Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct)).Downtime!.Value;
        var pathChange = Options.Guest.PathChange;
        Assert.Equal("net0", gap.Interface);
        Assert.InRange(gap.Longest, pathChange, (pathChange > downtime ? pathChange : downtime) + (2 * Options.ProbeInterval));
        Assert.InRange(gap.Lost, 1, gap.Probes / 10);
    });

    [Fact]
    public Task A_guest_that_still_boots_is_not_silent() => OnTestFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        Ok(await fleet.Source.DestroyAsync(definition.Ref, Ct));
        Ok(await fleet.Source.StartAsync(definition.Ref, Ct));
        var began = fleet.Time.GetUtcNow();
        Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition with { Devices = [] }, Ct));
        await Pass(fleet, 10);

        var gap = Assert.Single(Ok(await fleet.Source.Migration.MeasureGapsAsync(definition.Ref, began, Ct)));

        Assert.True(gap.Probes > 0 && gap.Longest < Options.Guest.DriverProbe, $"{gap}");
    });

    [Fact]
    public Task Plain_replug_is_silent_from_the_unplug_until_the_new_driver_is_ready() => OnTestFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        var withoutStandby = definition with { Ref = definition.Ref with { Vm = NewVm() }, Interfaces = [], Devices = [] };
        var vf = Device((await VirtualFunctionsOf(fleet, fleet.Source))[1].Address, number: 2);
        await Launch(fleet, withoutStandby with { Devices = [vf] });

        var failover = Assert.Single(await MigrateWithDevice(fleet, definition));
        var replug = Assert.Single(await MigrateReplug(fleet, withoutStandby with { Devices = [vf] }));

        Assert.True(replug.Longest > Options.Guest.DriverProbe, $"{replug}");
        Assert.True(replug.Longest > 10 * failover.Longest, $"replug {replug}, failover {failover}");
    });

    [Fact]
    public Task A_standby_whose_link_is_down_carries_nothing() => OnTestFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        Ok(await fleet.Source.SetStandbyLinkAsync(definition.Ref, "net0", false, Ct));

        var gap = Assert.Single(await MigrateWithDevice(fleet, definition with { Interfaces = [Standby() with { LinkUp = false }] }));

        Assert.True(gap.Longest > Options.Guest.DriverProbe, $"{gap}");
    });

    [Fact]
    public Task A_standby_that_is_lowered_right_after_the_replug_carries_until_the_function_does() => OnTestFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);

        var gap = Assert.Single(await MigrateWithDevice(fleet, definition, lowerStandbyAtOnce: true));

        Assert.False(Assert.Single(Ok(await fleet.Target.FindDomainAsync(definition.Ref.Vm, Ct))!.Interfaces).LinkUp);
        Assert.True(gap.Longest < TimeSpan.FromMilliseconds(100), $"{gap}");
    });

    [Fact]
    public Task The_silence_of_a_function_that_was_just_plugged_is_measured_to_its_end() => OnTestFleet(async fleet =>
    {
        var definition = NewDefinition(fleet, devices: Device(await FirstVirtualFunction(fleet, fleet.Source)));
        await Launch(fleet, definition);

        var gap = Assert.Single(await MigrateWithDevice(fleet, definition, measureAtOnce: true));

        Assert.True(gap.Longest > Options.Guest.DriverProbe, $"{gap}");
        Assert.InRange(gap.Lost, (int)(gap.Longest / Options.ProbeInterval) - 2, gap.Probes);
    });

    [Fact]
    public Task Nothing_is_measured_while_nothing_migrates() => OnTestFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        await Pass(fleet, 60);

        var gap = Assert.Single(Ok(await fleet.Source.Migration.MeasureGapsAsync(definition.Ref, DateTimeOffset.MinValue, Ct)));

        Assert.Equal(0, gap.Probes);
        Assert.Null(DomainOf(fleet.Source, definition).Network);
    });

    [Fact]
    public Task Probing_ends_when_the_migration_is_over() => OnTestFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        await MigrateWithDevice(fleet, definition);
        await Pass(fleet, 2 * Options.ProbeLinger.TotalSeconds);

        var since = fleet.Time.GetUtcNow() - TimeSpan.FromSeconds(1);

        Assert.Equal(0, Assert.Single(Ok(await fleet.Target.Migration.MeasureGapsAsync(definition.Ref, since, Ct))).Probes);
        Assert.Null(DomainOf(fleet.Target, definition).Network);
    });

    [Fact]
    public Task A_guest_that_hears_every_probe_is_sent_no_more_until_something_changes() => OnTestFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        await Pass(fleet, 10);
        var began = fleet.Time.GetUtcNow();
        Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition with { Devices = [] }, Ct));
        await Pass(fleet, 20);
        var quiet = Assert.Single(Ok(await fleet.Source.Migration.MeasureGapsAsync(definition.Ref, began, Ct)));

        Ok(await fleet.Source.PauseAsync(definition.Ref, Ct));
        await Pass(fleet, 0.5);
        Ok(await fleet.Source.ResumeAsync(definition.Ref, Ct));
        await Pass(fleet, 1);
        var paused = Assert.Single(Ok(await fleet.Source.Migration.MeasureGapsAsync(definition.Ref, began, Ct)));

        Assert.Equal((Options.ProbeInterval, 0), (quiet.Longest, quiet.Lost));
        Assert.InRange(quiet.Probes, 100, 200);
        Assert.InRange(paused.Longest, TimeSpan.FromSeconds(0.5) - Options.ProbeInterval, TimeSpan.FromSeconds(0.5) + (2 * Options.ProbeInterval));
        Assert.InRange(paused.Probes, quiet.Probes + 500, quiet.Probes + 1000);
    });

    [Fact]
    public void What_is_remembered_of_a_guest_that_is_migrated_for_ever_does_not_grow()
    {
        var (interval, start) = (Options.ProbeInterval, Time.GetUtcNow());
        var log = new Emulated.Net.ProbeLog(interval);
        for (var probe = 0; probe < 20_000; probe++)
        {
            var number = log.Sent(start + (probe * interval));
            if (probe % 2 == 0)
                log.Delivered(number, start + (probe * interval));
        }

        // Every second one was lost; the newest losses are known one by one.
        Assert.Equal(101, log.Measure("net0", start + (19_798 * interval)).Lost);
        Assert.InRange(log.Measure("net0", start).Lost, 256, 258);
    }

    [Fact] // Linux: net_failover_handle_frame.
    public Task A_frame_that_strays_to_the_standby_is_not_taken_while_the_function_carries() => OnTestFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        await Pass(fleet, 10);
        var began = fleet.Time.GetUtcNow();
        Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition with { Devices = [] }, Ct));
        await Pass(fleet, 1);
        var (network, standby) = (ModelOf(fleet.Source).Network, definition.Interfaces[0]);
        var stray = new Emulated.Net.Frame(MacOf(99), standby.Mac, standby.Vlan, Emulated.Net.Frame.ProbeType, new byte[] { 0, 0, 0, 0, 0, 9, 0, 0 });

        Ok(await fleet.Source.PingAsync(Ct)); // The model catches up with the probes that were sent meanwhile.
        network.BridgeOn(network.WireOf(standby.Network)).Receive(stray);
        await Pass(fleet, 1);

        Assert.Equal(0, Assert.Single(Ok(await fleet.Source.Migration.MeasureGapsAsync(definition.Ref, began, Ct))).Lost);
    });

    [Fact]
    public Task A_paused_guest_hears_nothing_until_it_runs_again() => OnTestFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        await Pass(fleet, 10);
        Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition with { Devices = [] }, Ct));
        await Pass(fleet, 1);
        var began = fleet.Time.GetUtcNow();
        Ok(await fleet.Source.PauseAsync(definition.Ref, Ct));
        await Pass(fleet, 2);
        Ok(await fleet.Source.ResumeAsync(definition.Ref, Ct));
        await Pass(fleet, 1);

        var gap = Assert.Single(Ok(await fleet.Source.Migration.MeasureGapsAsync(definition.Ref, began, Ct)));

        Assert.InRange(gap.Longest, TimeSpan.FromSeconds(2) - Options.ProbeInterval, TimeSpan.FromSeconds(2) + (2 * Options.ProbeInterval));
        // The ring's buffers took the first ones, which the guest found when it ran again.
        Assert.Equal(2000 - Emulated.Nics.DriverMemory.Frames, gap.Lost, tolerance: 3);
    });

    private static async Task<IReadOnlyList<InterfaceGap>> MigrateReplug(TestFleet fleet, DomainDefinition definition)
    {
        // The first function of the target went to the other guest.
        var began = fleet.Time.GetUtcNow();
        var free = (await VirtualFunctionsOf(fleet, fleet.Target))[1].Address;
        var replacement = definition.Devices[0] with { Claim = new Domain.Pci.DeviceClaim(free, First) };
        Ok(await fleet.Target.PrepareDeviceAsync(replacement.Claim, definition.Ref.Vm, replacement.Settings, Ct));
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition with { Devices = [] }, Ct));
        await Pass(fleet, 1);
        Ok(await fleet.Source.UnplugAsync(definition.Ref, "net0", Patience, Ct));
        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, PreCopy, Ct));
        await Pass(fleet, 3);
        Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct));
        Ok(await fleet.Target.PlugAsync(definition.Ref, replacement, Ct));
        await Pass(fleet, 5);
        return Ok(await fleet.Target.Migration.MeasureGapsAsync(definition.Ref, began, Ct));
    }
}

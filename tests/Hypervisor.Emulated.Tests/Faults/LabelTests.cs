using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Faults;

/// <summary>What the labels of VMs and hosts set off.</summary>
public sealed class LabelTests : EmulatedTest
{
    [Fact]
    public Task A_guest_that_acknowledges_late_loses_the_device_behind_everybodys_back() => OnTestFleet(async fleet =>
    {
        var device = Device(await FirstVirtualFunction(fleet, fleet.Source));
        var definition = await Launch(fleet, Labelled(NewDefinition(fleet, devices: device), (GuestLabels.Unplug, "late:5s")));
        await using var events = fleet.Source.WatchAsync(Ct).GetAsyncEnumerator(Ct);
        var next = events.MoveNextAsync();

        Assert.Equal(UnplugResult.TimedOut, Ok(await fleet.Source.UnplugAsync(definition.Ref, "net0", TimeSpan.FromSeconds(1), Ct)));
        Assert.Single(Ok(await fleet.Source.FindDomainAsync(definition.Ref.Vm, Ct))!.Devices);

        Assert.True(await next);
        Assert.Equal(("net0", definition.Ref.Vm), (Assert.IsType<HypervisorEvent.DeviceGone>(events.Current).DeviceName, definition.Ref.Vm));
        Assert.Empty(Ok(await fleet.Source.FindDomainAsync(definition.Ref.Vm, Ct))!.Devices);
    });

    [Fact]
    public Task A_label_for_one_device_comes_before_the_one_for_all() => OnTestFleet(async fleet =>
    {
        var device = Device(await FirstVirtualFunction(fleet, fleet.Source));
        var definition = await Launch(
            fleet, Labelled(NewDefinition(fleet, devices: device), (GuestLabels.Unplug, "refuse"), ($"{GuestLabels.Unplug}.net0", "prompt")));

        Assert.Equal(UnplugResult.Unplugged, Ok(await fleet.Source.UnplugAsync(definition.Ref, "net0", Patience, Ct)));
    });

    [Fact]
    public Task A_guest_that_is_still_booting_hears_of_the_unplug_when_it_has_booted() => OnTestFleet(async fleet =>
    {
        var device = Device(await FirstVirtualFunction(fleet, fleet.Source));
        var definition = await Launch(fleet, Labelled(NewDefinition(fleet, devices: device), (GuestLabels.Boot, "20s")));
        var started = fleet.Time.GetUtcNow();

        Assert.Equal(UnplugResult.TimedOut, Ok(await fleet.Source.UnplugAsync(definition.Ref, "net0", TimeSpan.FromSeconds(5), Ct)));
        Assert.Equal(UnplugResult.Unplugged, Ok(await fleet.Source.UnplugAsync(definition.Ref, "net0", Patience, Ct)));

        Assert.True(fleet.Time.GetUtcNow() - started >= TimeSpan.FromSeconds(20));
    });

    [Fact]
    public Task A_paused_guest_answers_an_unplug_when_it_runs_again() => OnTestFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        await Pass(fleet, 10);
        Ok(await fleet.Source.PauseAsync(definition.Ref, Ct));
        var unplugging = fleet.Source.UnplugAsync(definition.Ref, "net0", Patience, Ct);
        await Pass(fleet, 10);
        Assert.False(unplugging.IsCompleted);

        Ok(await fleet.Source.ResumeAsync(definition.Ref, Ct));

        Assert.Equal(UnplugResult.Unplugged, Ok(await unplugging));
    });

    [Fact]
    public Task A_guest_that_powers_itself_off_is_an_event() => OnTestFleet(async fleet =>
    {
        await using var events = fleet.Source.WatchAsync(Ct).GetAsyncEnumerator(Ct);
        var next = events.MoveNextAsync();
        var definition = await Launch(fleet, Labelled(NewDefinition(fleet), (GuestLabels.PowerOffAfter, "30s")));
        var started = fleet.Time.GetUtcNow();

        Assert.True(await next);

        var changed = Assert.IsType<HypervisorEvent.DomainChanged>(events.Current);
        Assert.Equal((definition.Ref.Vm, DomainState.Off, started + TimeSpan.FromSeconds(30)), (changed.Vm, changed.State, changed.At));
    });

    [Fact]
    public Task A_slow_shutdown_takes_its_time() => OnTestFleet(async fleet =>
    {
        var definition = await Launch(fleet, Labelled(NewDefinition(fleet), (GuestLabels.Shutdown, "slow:20s")));

        Assert.False(Ok(await fleet.Source.ShutdownAsync(definition.Ref, TimeSpan.FromSeconds(10), Ct)));
        Assert.True(Ok(await fleet.Source.ShutdownAsync(definition.Ref, Patience, Ct)));
    });

    [Fact]
    public Task Settings_that_were_not_cleared_show_in_the_proof() => OnTestFleet(async fleet =>
    {
        var claim = new DeviceClaim(await FirstVirtualFunction(fleet, fleet.Source), First);
        fleet.SetLabel(fleet.Source, $"{HostLabels.ClearSettings}.{claim.Address}", "fail");
        Ok(await fleet.Source.PrepareDeviceAsync(claim, NewVm(), SettingsFor(1), Ct));

        var proof = Ok(await fleet.Source.CleanDeviceAsync(claim, Ct));

        Assert.Equal(SettingsFor(1), proof.ReadBack);
        Assert.Contains("settings of the last owner", proof.Failing(), StringComparison.Ordinal);
    });

    [Fact]
    public Task A_physical_function_can_be_made_to_refuse_new_functions() => OnTestFleet(async fleet =>
    {
        var physical = fleet.PhysicalFunction(fleet.Source);
        fleet.SetLabel(fleet.Source, $"{HostLabels.CreateVirtualFunctions}.{physical}", "fail");
        var before = await VirtualFunctionsOf(fleet, fleet.Source);

        Refused("vf-create-failed", await fleet.Source.SetVirtualFunctionCountAsync(physical, before.Count + 1, Ct));
        Assert.Equal(before.Count, (await VirtualFunctionsOf(fleet, fleet.Source)).Count);
    });

    [Theory]
    [InlineData(GuestLabels.CrashTargetAt, "copy", DomainState.Running, null)]
    [InlineData(GuestLabels.CrashTargetAt, "switch-over", DomainState.Running, null)]
    [InlineData(GuestLabels.CrashTargetAt, "after-switch-over", null, DomainState.Off)]
    [InlineData(GuestLabels.CrashSourceAt, "copy", DomainState.Off, null)]
    [InlineData(GuestLabels.CrashSourceAt, "switch-over", DomainState.Off, null)]
    [InlineData(GuestLabels.CrashSourceAt, "after-switch-over", null, DomainState.Running)]
    public Task A_host_dies_at_the_labelled_point_and_the_guest_is_in_one_place(string label, string point, DomainState? onSource, DomainState? onTarget) =>
        OnTestFleet(async fleet =>
        {
            var definition = await Launch(fleet, Labelled(NewDefinition(fleet), (label, point)));
            var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct));
            Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, PreCopy, Ct));
            await Pass(fleet, 10);
            await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct);

            var dead = label == GuestLabels.CrashTargetAt ? fleet.Target : fleet.Source;
            Assert.Equal(FaultKind.Unavailable, (await dead.PingAsync(Ct)).Fault?.Kind);
            await fleet.ReviveAsync(dead);
            Assert.Equal((onSource, onTarget), (await StateOf(fleet.Source, definition.Ref.Vm), await StateOf(fleet.Target, definition.Ref.Vm)));
        });

    [Theory]
    [InlineData("start")]
    [InlineData("prepare-incoming")]
    public Task A_labelled_host_dies_once_and_comes_back_by_itself(string point) => OnTestFleet(async fleet =>
    {
        fleet.SetLabel(fleet.Target, HostLabels.CrashAt, point);
        fleet.SetLabel(fleet.Target, HostLabels.ReviveAfter, "30s");
        var definition = NewDefinition(fleet);

        Assert.Equal(FaultKind.Unavailable, (await Provoke()).Fault?.Kind);
        Assert.Equal(FaultKind.Unavailable, (await fleet.Target.PingAsync(Ct)).Fault?.Kind);
        await Pass(fleet, 31);
        Ok(await Provoke());

        async Task<Outcome<Done>> Provoke()
        {
            if (point == "prepare-incoming")
                return (await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct)).Map(_ => default(Done));
            Ok(await fleet.Target.DefineAsync(definition, Ct));
            return await fleet.Target.StartAsync(definition.Ref, Ct);
        }
    });

    [Theory]
    [InlineData("250ms", 0.25)]
    [InlineData("5s", 5.0)]
    [InlineData("1.5m", 90.0)]
    [InlineData("5", null)]
    [InlineData("s", null)]
    [InlineData("-5s", null)]
    [InlineData("99999999999m", null)]
    public void Durations_are_numbers_with_a_unit(string text, double? seconds) =>
        Assert.Equal(seconds, Durations.Parse(text)?.TotalSeconds);
}

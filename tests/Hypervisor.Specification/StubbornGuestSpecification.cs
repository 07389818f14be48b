using Xunit;

namespace ControlPlane.Hypervisor.Specification;

/// <summary>Guests that do not do what they are asked keep what they have.</summary>
public abstract class StubbornGuestSpecification : HypervisorSpecification
{
    [Fact]
    public Task A_guest_that_does_not_answer_keeps_the_device() => OnFleet(fleet => KeepsTheDevice(fleet, GuestManner.IgnoresUnplug, UnplugResult.TimedOut));

    [Fact]
    public Task A_guest_that_refuses_keeps_the_device_and_is_heard() => OnFleet(fleet => KeepsTheDevice(fleet, GuestManner.RefusesUnplug, UnplugResult.Refused));

    private async Task KeepsTheDevice(ISpecificationFleet fleet, GuestManner manner, UnplugResult expected)
    {
        var definition = await RunWithDevice(fleet, manner);

        Assert.Equal(expected, Ok(await fleet.Source.UnplugAsync(definition.Ref, "net0", Patience, Ct)));

        Assert.Single(Ok(await fleet.Source.FindDomainAsync(definition.Ref.Vm, Ct))!.Devices);
        Assert.True((await DeviceOf(fleet.Source, definition.Devices[0].Claim.Address))?.HeldOpen);
        Assert.Equal(DomainState.Running, await StateOf(fleet.Source, definition.Ref.Vm));
    }

    [Fact]
    public Task The_deadline_covers_the_device_and_is_kept() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet, GuestManner.IgnoresUnplug);
        await Task.Delay(Patience, fleet.Time, Ct);
        var asked = fleet.Time.GetUtcNow();

        Ok(await fleet.Source.UnplugAsync(definition.Ref, "net0", TimeSpan.FromSeconds(3), Ct));

        Assert.InRange(fleet.Time.GetUtcNow() - asked, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(4));
    });

    [Fact]
    public Task A_slow_guest_lets_go_when_it_is_given_the_time() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet, GuestManner.SlowToUnplug);

        Assert.Equal(UnplugResult.TimedOut, Ok(await fleet.Source.UnplugAsync(definition.Ref, "net0", TimeSpan.FromSeconds(1), Ct)));
        Assert.Single(Ok(await fleet.Source.FindDomainAsync(definition.Ref.Vm, Ct))!.Devices);
        Assert.Equal(UnplugResult.Unplugged, Ok(await fleet.Source.UnplugAsync(definition.Ref, "net0", Patience, Ct)));
    });

    [Fact]
    public Task A_request_that_timed_out_is_taken_back() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet, GuestManner.SlowToUnplug);
        Ok(await fleet.Source.UnplugAsync(definition.Ref, "net0", TimeSpan.FromSeconds(1), Ct));

        await Task.Delay(Patience, fleet.Time, Ct);

        Assert.Single(Ok(await fleet.Source.FindDomainAsync(definition.Ref.Vm, Ct))!.Devices);
    });

    [Fact]
    public Task Two_that_ask_for_one_device_hear_one_answer() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet, GuestManner.SlowToUnplug);

        var answers = await Task.WhenAll(
            fleet.Source.UnplugAsync(definition.Ref, "net0", Patience, Ct), fleet.Source.UnplugAsync(definition.Ref, "net0", Patience, Ct));

        Assert.All(answers, a => Assert.Equal(UnplugResult.Unplugged, Ok(a)));
    });

    [Fact]
    public Task A_guest_that_ignores_the_power_button_runs_on_until_the_plug_is_pulled() => OnFleet(async fleet =>
    {
        var definition = await Run(fleet, GuestManner.IgnoresShutdown);

        Assert.False(Ok(await fleet.Source.ShutdownAsync(definition.Ref, TimeSpan.FromSeconds(5), Ct)));
        Assert.Equal(DomainState.Running, await StateOf(fleet.Source, definition.Ref.Vm));
        Ok(await fleet.Source.DestroyAsync(definition.Ref, Ct));
        Assert.Equal(DomainState.Off, await StateOf(fleet.Source, definition.Ref.Vm));
    });
}

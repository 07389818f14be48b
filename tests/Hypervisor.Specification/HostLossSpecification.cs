using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using Xunit;

namespace ControlPlane.Hypervisor.Specification;

/// <summary>A host that loses its power, alone and in the middle of a migration.</summary>
public abstract class HostLossSpecification : HypervisorSpecification
{
    private static readonly CopyOptions Options = new(MigrationMode.PreCopy, null, TimeSpan.FromMilliseconds(300), AutoConverge: false);

    private async Task<DomainDefinition> HeldCopy(ISpecificationFleet fleet)
    {
        var definition = await Run(fleet);
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct));
        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, Options, Ct));
        for (var polls = 0; polls < 600 && Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct)).Phase != CopyPhase.HoldingBeforeSwitchOver; polls++)
            await Task.Delay(TimeSpan.FromMilliseconds(100), fleet.Time, Ct);
        return definition;
    }

    [Fact]
    public Task A_lost_host_answers_no_call_and_its_stream_ends() => OnFleet(async fleet =>
    {
        await using var events = fleet.Source.WatchAsync(Ct).GetAsyncEnumerator(Ct);
        var next = events.MoveNextAsync();

        await fleet.CrashAsync(fleet.Source);

        Assert.Equal(FaultKind.Unavailable, (await fleet.Source.PingAsync(Ct)).Fault?.Kind);
        Assert.Equal(FaultKind.Unavailable, (await fleet.Source.ListDomainsAsync(Ct)).Fault?.Kind);
        Assert.False(await next);
    });

    [Fact]
    public Task A_host_that_comes_back_knows_its_domains_and_they_are_off() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        await fleet.CrashAsync(fleet.Source);
        await fleet.ReviveAsync(fleet.Source);

        Assert.Equal(DomainState.Off, await StateOf(fleet.Source, definition.Ref.Vm));
        Assert.False((await DeviceOf(fleet.Source, definition.Devices[0].Claim.Address))?.HeldOpen ?? false);
        Refused("stale-generation", await fleet.Source.CleanDeviceAsync(definition.Devices[0].Claim with { Generation = Generation.None }, Ct));
    });

    [Fact]
    public Task A_device_is_prepared_again_under_its_claim_after_the_host_came_back() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        await fleet.CrashAsync(fleet.Source);
        await fleet.ReviveAsync(fleet.Source);
        Refused("device-not-prepared", await fleet.Source.StartAsync(At(definition.Ref, 2), Ct));

        Ok(await fleet.Source.PrepareDeviceAsync(definition.Devices[0].Claim, definition.Ref.Vm, definition.Devices[0].Settings, Ct));
        Ok(await fleet.Source.StartAsync(At(definition.Ref, 2), Ct));

        Assert.Equal(DomainState.Running, await StateOf(fleet.Source, definition.Ref.Vm));
    });

    [Fact]
    public Task A_guest_that_was_asked_something_when_its_host_died_answers_nothing() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet, GuestManner.IgnoresUnplug);
        var unplugging = fleet.Source.UnplugAsync(definition.Ref, "net0", Patience, Ct);

        await fleet.CrashAsync(fleet.Source);

        Assert.Equal(FaultKind.Unavailable, (await unplugging).Fault?.Kind);
    });

    [Fact]
    public Task When_the_target_dies_before_the_switch_over_the_guest_stays() => OnFleet(async fleet =>
    {
        var definition = await HeldCopy(fleet);

        await fleet.CrashAsync(fleet.Target);

        Assert.Equal(CopyPhase.Failed, Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct)).Phase);
        Assert.Equal(SwitchOverResult.StayedOnSource, Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct)));
        Assert.Equal(DomainState.Running, await StateOf(fleet.Source, definition.Ref.Vm));
        await fleet.ReviveAsync(fleet.Target);
        Assert.Null(await StateOf(fleet.Target, definition.Ref.Vm));
    });

    [Fact]
    public Task When_the_target_dies_after_the_switch_over_the_guest_dies_with_it() => OnFleet(async fleet =>
    {
        var definition = await HeldCopy(fleet);
        Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct));

        await fleet.CrashAsync(fleet.Target);

        Assert.Null(await StateOf(fleet.Source, definition.Ref.Vm));
        Assert.Equal(SwitchOverResult.OnTarget, Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct)));
        await fleet.ReviveAsync(fleet.Target);
        Assert.Equal(DomainState.Off, await StateOf(fleet.Target, definition.Ref.Vm));
    });

    [Fact]
    public Task When_the_source_dies_before_the_switch_over_nothing_runs_anywhere() => OnFleet(async fleet =>
    {
        var definition = await HeldCopy(fleet);

        await fleet.CrashAsync(fleet.Source);

        Assert.NotEqual(DomainState.Running, await StateOf(fleet.Target, definition.Ref.Vm));
        Ok(await fleet.Target.Migration.DiscardIncomingAsync(definition.Ref, Ct));
        await fleet.ReviveAsync(fleet.Source);
        Assert.Equal(DomainState.Off, await StateOf(fleet.Source, definition.Ref.Vm));
    });
}

using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Pci;
using Xunit;

namespace ControlPlane.Hypervisor.Specification;

/// <summary>A live migration: held before the switch-over, aborted or let go, and never two running copies.</summary>
public abstract class MigrationSpecification : HypervisorSpecification
{
    protected static readonly CopyOptions Options = new(MigrationMode.PreCopy, null, TimeSpan.FromMilliseconds(300), AutoConverge: false);

    /// <summary>The function unplugged, the target listening, the copy holding.</summary>
    protected async Task<DomainDefinition> CopyUntilHeld(ISpecificationFleet fleet, DomainDefinition definition)
    {
        await BeginCopy(fleet, definition, Options);
        var held = await WaitForPhase(fleet, definition, CopyPhase.HoldingBeforeSwitchOver);
        // Where nothing holds a copy for long, an idle guest may have gone over before anybody looked.
        Assert.True(held.Phase == CopyPhase.HoldingBeforeSwitchOver || !Holds, $"The copy {held.Phase}: {held.Error}");
        return definition;
    }

    /// <summary>The same, or where nothing holds a copy one that takes its time, so that whoever aborts it comes before its end.</summary>
    private async Task<DomainDefinition> CopyToBeAborted(ISpecificationFleet fleet, DomainDefinition definition)
    {
        if (Holds)
            return await CopyUntilHeld(fleet, definition);
        await BeginCopy(fleet, definition, Options with { BandwidthMiBPerSecond = 4 });
        // Memory flows: whatever the target needed to begin to listen is behind it.
        await WaitFor(fleet, definition, progress => progress.BytesTotal > 0);
        return definition;
    }

    private static async Task BeginCopy(ISpecificationFleet fleet, DomainDefinition definition, CopyOptions options)
    {
        Ok(await fleet.Source.UnplugAsync(definition.Ref, "net0", Patience, Ct));
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition with { Devices = [] }, Ct));
        Assert.Equal(fleet.Target.Host, incoming.Target);
        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, options, Ct));
    }

    private bool Holds => !Exceptions.Any(e => e.Test == nameof(A_converged_copy_holds_while_the_guest_runs_on_the_source));

    /// <summary>In that phase, or at its end.</summary>
    protected static Task<CopyProgress> WaitForPhase(ISpecificationFleet fleet, DomainDefinition definition, CopyPhase phase) =>
        WaitFor(fleet, definition, progress => progress.Phase == phase);

    private static async Task<CopyProgress> WaitFor(ISpecificationFleet fleet, DomainDefinition definition, Func<CopyProgress, bool> isSo)
    {
        for (var polls = 0; polls < 600; polls++)
        {
            var progress = Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct));
            if (isSo(progress) || progress.Phase is CopyPhase.Completed or CopyPhase.Failed)
                return progress;
            await Task.Delay(TimeSpan.FromMilliseconds(100), fleet.Time, Ct);
        }
        throw new TimeoutException("The copy never came there.");
    }

    [Fact]
    public Task A_converged_copy_holds_while_the_guest_runs_on_the_source() => OnFleet(async fleet =>
    {
        var definition = await CopyUntilHeld(fleet, await RunWithDevice(fleet));
        await Task.Delay(TimeSpan.FromMinutes(1), fleet.Time, Ct);

        Assert.Equal(CopyPhase.HoldingBeforeSwitchOver, Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct)).Phase);
        Assert.Equal(DomainState.Running, await StateOf(fleet.Source, definition.Ref.Vm));
        Assert.Equal(DomainState.Incoming, await StateOf(fleet.Target, definition.Ref.Vm));
    });

    [Fact]
    public Task A_switch_over_moves_the_guest_and_can_be_repeated() => OnFleet(async fleet =>
    {
        var definition = await CopyUntilHeld(fleet, await RunWithDevice(fleet));

        Assert.Equal(SwitchOverResult.OnTarget, Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct)));
        Assert.Equal(SwitchOverResult.OnTarget, Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct)));

        Assert.Null(await StateOf(fleet.Source, definition.Ref.Vm));
        Assert.Equal(DomainState.Running, await StateOf(fleet.Target, definition.Ref.Vm));
        var progress = Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct));
        Assert.Equal(CopyPhase.Completed, progress.Phase);
        Assert.Equal(0, progress.BytesRemaining);
        Assert.True(progress is { BytesTransferred: > 0, Passes: > 0 });
        Assert.NotNull(progress.Downtime);
        Refused("already-switched", await fleet.Source.Migration.AbortCopyAsync(definition.Ref, Ct));
        Refused("domain-running", await fleet.Target.Migration.DiscardIncomingAsync(definition.Ref, Ct));
    });

    [Fact]
    public Task A_guest_keeps_its_MAC_and_its_devices_address_over_the_move() => OnFleet(async fleet =>
    {
        var definition = await CopyUntilHeld(fleet, await RunWithDevice(fleet));
        Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct));
        var replacement = definition.Devices[0] with { Claim = new DeviceClaim(await FirstVirtualFunction(fleet, fleet.Target), First) };
        Ok(await fleet.Target.PrepareDeviceAsync(replacement.Claim, definition.Ref.Vm, replacement.Settings, Ct));

        Ok(await fleet.Target.PlugAsync(definition.Ref, replacement, Ct));

        var after = Ok(await fleet.Target.FindDomainAsync(definition.Ref.Vm, Ct))!;
        Assert.Equal(definition.Interfaces, after.Interfaces);
        var device = Assert.Single(after.Devices);
        Assert.Equal((definition.Devices[0].GuestAddress, definition.Devices[0].Settings.Mac), (device.GuestAddress, device.Mac));
    });

    [Fact]
    public Task An_aborted_copy_leaves_the_guest_on_the_source() => OnFleet(async fleet =>
    {
        var definition = await CopyToBeAborted(fleet, await RunWithDevice(fleet));

        Ok(await fleet.Source.Migration.AbortCopyAsync(definition.Ref, Ct));
        Ok(await fleet.Source.Migration.AbortCopyAsync(definition.Ref, Ct));
        Ok(await fleet.Target.Migration.DiscardIncomingAsync(definition.Ref, Ct));
        Ok(await fleet.Target.Migration.DiscardIncomingAsync(definition.Ref, Ct));

        Assert.Equal(DomainState.Running, await StateOf(fleet.Source, definition.Ref.Vm));
        Assert.Null(await StateOf(fleet.Target, definition.Ref.Vm));
        Assert.Equal(CopyPhase.Aborted, Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct)).Phase);
        Ok(await fleet.Source.PlugAsync(definition.Ref, definition.Devices[0], Ct));
    });

    [Fact]
    public Task A_migration_can_be_tried_again_after_an_abort() => OnFleet(async fleet =>
    {
        var definition = await CopyToBeAborted(fleet, await RunWithDevice(fleet));
        Ok(await fleet.Source.Migration.AbortCopyAsync(definition.Ref, Ct));
        Ok(await fleet.Target.Migration.DiscardIncomingAsync(definition.Ref, Ct));
        var again = definition with { Ref = At(definition.Ref, 2) };
        Assert.Equal(CopyPhase.None, Ok(await fleet.Source.Migration.ReadProgressAsync(again.Ref, Ct)).Phase);

        await CopyUntilHeld(fleet, again);

        Assert.Equal(SwitchOverResult.OnTarget, Ok(await fleet.Source.Migration.SwitchOverAsync(again.Ref, Ct)));
        Assert.Equal(DomainState.Running, await StateOf(fleet.Target, again.Ref.Vm));
    });

    [Fact]
    public Task A_guest_comes_back_to_where_it_was() => OnFleet(async fleet =>
    {
        var definition = await CopyUntilHeld(fleet, await RunWithDevice(fleet));
        Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct));
        var back = definition with { Ref = At(definition.Ref, 2), Devices = [] };

        var incoming = Ok(await fleet.Source.Migration.PrepareIncomingAsync(back, Ct));
        Ok(await fleet.Target.Migration.BeginCopyAsync(back.Ref, incoming, Options, Ct));
        for (var polls = 0; polls < 600 && Ok(await fleet.Target.Migration.ReadProgressAsync(back.Ref, Ct)).Phase != CopyPhase.HoldingBeforeSwitchOver; polls++)
            await Task.Delay(TimeSpan.FromMilliseconds(100), fleet.Time, Ct);
        Assert.Equal(SwitchOverResult.OnTarget, Ok(await fleet.Target.Migration.SwitchOverAsync(back.Ref, Ct)));

        Assert.Equal(DomainState.Running, await StateOf(fleet.Source, back.Ref.Vm));
        Assert.Null(await StateOf(fleet.Target, back.Ref.Vm));
    });

    [Fact]
    public Task A_guest_that_left_and_was_defined_anew_can_be_moved_anew() => OnFleet(async fleet =>
    {
        var definition = await CopyUntilHeld(fleet, await RunWithDevice(fleet));
        Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct));
        Ok(await fleet.Target.DestroyAsync(At(definition.Ref, 2), Ct));
        Ok(await fleet.Target.UndefineAsync(At(definition.Ref, 2), DiskFate.Delete, Ct));
        var anew = definition with { Ref = At(definition.Ref, 3), Devices = [] };
        Ok(await fleet.Source.DefineAsync(anew, Ct));
        Ok(await fleet.Source.StartAsync(anew.Ref, Ct));
        Assert.Equal(CopyPhase.None, Ok(await fleet.Source.Migration.ReadProgressAsync(anew.Ref, Ct)).Phase);

        await CopyUntilHeld(fleet, anew);

        Assert.Equal(SwitchOverResult.OnTarget, Ok(await fleet.Source.Migration.SwitchOverAsync(anew.Ref, Ct)));
        Assert.Equal(DomainState.Running, await StateOf(fleet.Target, anew.Ref.Vm));
    });

    [Fact]
    public Task A_device_that_cannot_travel_must_be_unplugged_first() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition with { Devices = [] }, Ct));

        Refused("device-still-plugged", await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, Options, Ct));
    });

    [Fact]
    public Task Nothing_is_switched_before_the_copy_has_converged() => OnFleet(async fleet =>
    {
        var definition = await Run(fleet, GuestManner.DirtiesFast);
        Refused("no-copy", await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct));
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct));
        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, Options with { BandwidthMiBPerSecond = 8, DowntimeLimit = TimeSpan.FromMilliseconds(1) }, Ct));
        await Task.Delay(TimeSpan.FromSeconds(60), fleet.Time, Ct);

        var progress = Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct));
        Assert.Equal(CopyPhase.Copying, progress.Phase);
        Assert.True(progress.Passes > 1);
        Refused("not-holding", await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct));

        Ok(await fleet.Source.Migration.SetDowntimeLimitAsync(definition.Ref, TimeSpan.FromMinutes(1), Ct));
        Assert.Equal(CopyPhase.HoldingBeforeSwitchOver, (await WaitForPhase(fleet, definition, CopyPhase.HoldingBeforeSwitchOver)).Phase);
    });

    [Fact]
    public Task A_copy_that_is_not_known_has_no_phase() => OnFleet(async fleet =>
    {
        var definition = await Run(fleet);

        Assert.Equal(CopyPhase.None, Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct)).Phase);
        Ok(await fleet.Source.Migration.AbortCopyAsync(definition.Ref, Ct));
        Refused("no-copy", await fleet.Source.Migration.SetDowntimeLimitAsync(definition.Ref, TimeSpan.FromSeconds(1), Ct));
    });
}

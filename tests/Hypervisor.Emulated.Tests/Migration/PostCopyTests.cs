using ControlPlane.Domain.Migrations;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Migration;

/// <summary>The guest goes over first and its pages follow.</summary>
public sealed class PostCopyTests : EmulatedTest
{
    private static readonly CopyOptions PostCopy = PreCopy with { Mode = MigrationMode.PostCopy, BandwidthMiBPerSecond = 64 };

    /// <summary>A guest that no pre-copy over this link moves, held after its one pass.</summary>
    private async Task<DomainDefinition> Held(TestFleet fleet)
    {
        var definition = await Launch(
            fleet, Labelled(NewDefinition(fleet), (GuestLabels.DirtyMiBPerSecond, "200"), (GuestLabels.WorkingSetMiB, "128")) with { MemoryMiB = 256 });
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct));
        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, PostCopy, Ct));
        await Pass(fleet, 4.5);
        Assert.Equal(CopyPhase.HoldingBeforeSwitchOver, Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct)).Phase);
        return definition;
    }

    [Fact]
    public Task A_guest_that_writes_faster_than_the_link_is_moved_with_a_short_stop() => OnTestFleet(async fleet =>
    {
        var definition = await Held(fleet);

        Assert.Equal(SwitchOverResult.OnTarget, Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct)));

        var progress = Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct));
        Assert.InRange(progress.Downtime!.Value - Options.SwitchOverOverhead, TimeSpan.Zero, TimeSpan.FromMilliseconds(5));
        Assert.Equal(DomainState.Running, await StateOf(fleet.Target, definition.Ref.Vm));
    });

    [Fact]
    public Task It_waits_for_pages_that_it_writes_to_before_they_have_come() => OnTestFleet(async fleet =>
    {
        var definition = await Held(fleet);
        Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct));

        var counters = DomainOf(fleet.Target, definition).LastMigration!;
        Assert.InRange(counters.PostCopyFaults, 100, 128 * 256);
        // One pass, half a second of holding, and each page that was dirty then once more.
        Assert.InRange(counters.SentBytes, 256L << 20, (256L + 32 + 129) << 20);
    });

    [Fact]
    public Task While_pages_follow_the_guest_runs_on_the_target_and_cannot_be_moved_on() => OnTestFleet(async fleet =>
    {
        var definition = await Held(fleet);
        var switching = fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct);
        await Pass(fleet, 0.1);

        Assert.False(switching.IsCompleted);
        Assert.Equal(DomainState.Running, await StateOf(fleet.Target, definition.Ref.Vm));
        Refused("already-switched", await fleet.Source.Migration.AbortCopyAsync(definition.Ref, Ct));
        var back = Ok(await fleet.Source.Migration.PrepareIncomingAsync(definition, Ct));
        Refused("pages-still-arriving", await fleet.Target.Migration.BeginCopyAsync(definition.Ref, back, PostCopy, Ct));
        Assert.Equal(SwitchOverResult.OnTarget, Ok(await switching));
        Ok(await fleet.Target.Migration.BeginCopyAsync(definition.Ref, back, PostCopy, Ct));
    });

    [Fact]
    public Task A_source_that_dies_while_pages_follow_takes_the_guest_with_it() => OnTestFleet(async fleet =>
    {
        var definition = await Held(fleet);
        await using var events = fleet.Target.WatchAsync(Ct).GetAsyncEnumerator(Ct);
        var next = events.MoveNextAsync();
        var switching = fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct);
        await Pass(fleet, 0.1);

        await fleet.CrashAsync(fleet.Source);

        Assert.False((await switching).Succeeded);
        Assert.Equal(DomainState.Off, await StateOf(fleet.Target, definition.Ref.Vm));
        Assert.True(await next);
        Assert.Contains("went down", Assert.IsType<HypervisorEvent.DomainChanged>(events.Current).Reason, StringComparison.Ordinal);
    });

    [Fact]
    public Task A_guest_that_is_switched_off_meanwhile_needs_no_pages() => OnTestFleet(async fleet =>
    {
        var definition = await Held(fleet);
        var switching = fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct);
        await Pass(fleet, 0.1);

        Ok(await fleet.Target.DestroyAsync(definition.Ref, Ct));

        Assert.Equal(SwitchOverResult.OnTarget, Ok(await switching));
        Assert.Equal(DomainState.Off, await StateOf(fleet.Target, definition.Ref.Vm));
    });
}

using ControlPlane.Domain.Migrations;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Migration;

/// <summary>What goes over the wire, and how fast.</summary>
public sealed class WireTests : EmulatedTest
{
    private const int LinkMiBPerSecond = 64;

    private protected override EmulationOptions Options => EmulationOptions.Fast with { LinkMiBPerSecond = LinkMiBPerSecond, ChannelMiBPerSecond = LinkMiBPerSecond };

    private async Task<DomainDefinition> Copying(TestFleet fleet, IHypervisor target, CopyOptions options, params (string, string)[] labels)
    {
        var quiet = labels.Append((GuestLabels.DirtyMiBPerSecond, "0")).ToArray();
        var definition = await Launch(fleet, Labelled(NewDefinition(fleet), quiet) with { MemoryMiB = 256 });
        var incoming = Ok(await target.Migration.PrepareIncomingAsync(definition, Ct));
        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, options, Ct));
        return definition;
    }

    private static async Task<CopyProgress> Progress(TestFleet fleet, DomainDefinition definition) =>
        Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct));

    [Fact]
    public Task Two_migrations_from_one_host_share_its_link_and_the_second_half_is_faster_once_one_is_done() => OnTestFleet(async fleet =>
    {
        var first = await Copying(fleet, fleet.Target, PreCopy);
        await Pass(fleet, 2);
        var second = await Copying(fleet, fleet.Open(3), PreCopy);
        await Pass(fleet, 2);

        // 2 s alone, 2 s as one of two.
        Assert.Equal(3L * LinkMiBPerSecond << 20, (await Progress(fleet, first)).BytesTransferred);
        Assert.Equal(1L * LinkMiBPerSecond << 20, (await Progress(fleet, second)).BytesTransferred);

        await Pass(fleet, 2.5);
        Assert.Equal(CopyPhase.HoldingBeforeSwitchOver, (await Progress(fleet, first)).Phase);
        Assert.InRange((await Progress(fleet, second)).BytesTransferred, 2L * LinkMiBPerSecond << 20, (2L * LinkMiBPerSecond + 32) << 20);
    });

    [Fact]
    public Task What_one_migration_may_not_use_the_other_has() => OnTestFleet(async fleet =>
    {
        var limited = await Copying(fleet, fleet.Target, PreCopy with { BandwidthMiBPerSecond = 16 });
        var free = await Copying(fleet, fleet.Open(3), PreCopy);
        await Pass(fleet, 2);

        Assert.Equal(2L * 16 << 20, (await Progress(fleet, limited)).BytesTransferred);
        Assert.Equal(2L * (LinkMiBPerSecond - 16) << 20, (await Progress(fleet, free)).BytesTransferred);
    });

    [Fact]
    public Task A_faster_link_needs_more_channels_on_both_ends() => OnTestFleet(async fleet =>
    {
        foreach (var host in new[] { fleet.Source, fleet.Target })
            fleet.SetLabel(host, HostLabels.LinkMiBPerSecond, $"{4 * LinkMiBPerSecond}");
        var one = await Copying(fleet, fleet.Target, PreCopy);
        await Pass(fleet, 1);
        Assert.Equal(1L * LinkMiBPerSecond << 20, (await Progress(fleet, one)).BytesTransferred);
        Ok(await fleet.Source.Migration.AbortCopyAsync(one.Ref, Ct));

        foreach (var host in new[] { fleet.Source, fleet.Target })
            fleet.SetLabel(host, HostLabels.MigrationChannelCount, "3");
        var three = await Copying(fleet, fleet.Target, PreCopy);
        await Pass(fleet, 1);
        Assert.Equal(3L * LinkMiBPerSecond << 20, (await Progress(fleet, three)).BytesTransferred);
    });

    [Fact]
    public Task Memory_that_holds_nothing_goes_over_as_a_few_bytes_a_page() => OnTestFleet(async fleet =>
    {
        var definition = await Copying(fleet, fleet.Target, PreCopy, (GuestLabels.UsedMiB, "64"), (GuestLabels.WorkingSetMiB, "16"));
        await Pass(fleet, 2);

        // All but what its programs use, and the few pages that its firmware has written.
        const long pagesPerMiB = 256;
        var zeroPages = DomainOf(fleet.Source, definition).LastMigration!.ZeroPages;
        Assert.InRange(zeroPages, ((256 - 64) * pagesPerMiB) - 16, (256 - 64) * pagesPerMiB);
        Assert.Equal((((256 * pagesPerMiB) - zeroPages) * 4096) + (9 * zeroPages), (await Progress(fleet, definition)).BytesTransferred);
    });

    [Fact]
    public Task A_device_that_travels_gives_most_of_its_state_while_it_works() => OnTestFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        var there = definition.Devices[0] with { Claim = new Domain.Pci.DeviceClaim(await FirstVirtualFunction(fleet, fleet.Target), First) };
        Ok(await fleet.Target.PrepareDeviceAsync(there.Claim, definition.Ref.Vm, there.Settings, Ct));
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition with { Devices = [there] }, Ct));
        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, PreCopy, Ct));
        await Pass(fleet, 5);
        var counters = DomainOf(fleet.Source, definition).LastMigration!;
        var early = counters.DeviceStateBytes;

        Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct));

        Assert.True(early >= 768 * 1024);
        Assert.InRange(counters.DeviceStateBytes - early, 256 * 1024, 512 * 1024);
    });

    [Fact]
    public Task A_stop_that_would_be_too_long_for_the_devices_state_alone_is_not_begun() => OnTestFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        var there = definition.Devices[0] with { Claim = new Domain.Pci.DeviceClaim(await FirstVirtualFunction(fleet, fleet.Target), First) };
        Ok(await fleet.Target.PrepareDeviceAsync(there.Claim, definition.Ref.Vm, there.Settings, Ct));
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition with { Devices = [there] }, Ct));
        // 256 KiB at 64 MiB/s are 3.9 ms.
        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, PreCopy with { DowntimeLimit = TimeSpan.FromMilliseconds(3) }, Ct));
        await Pass(fleet, 20);

        Assert.Equal(CopyPhase.Copying, (await Progress(fleet, definition)).Phase);
    });
}

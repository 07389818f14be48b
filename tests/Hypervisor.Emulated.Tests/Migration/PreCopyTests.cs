using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Migration;

/// <summary>Passes over really dirty memory, at the link's speed.</summary>
public sealed class PreCopyTests : EmulatedTest
{
    private static (string, string)[] Dirties(double mibPerSecond, double workingSetMiB) =>
        [(GuestLabels.DirtyMiBPerSecond, $"{mibPerSecond}"), (GuestLabels.WorkingSetMiB, $"{workingSetMiB}")];

    private async Task<DomainDefinition> Copying(TestFleet fleet, long bandwidth, CopyOptions options, params (string, string)[] labels)
    {
        var definition = await Launch(fleet, Labelled(NewDefinition(fleet), labels) with { MemoryMiB = 256 });
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct));
        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, options with { BandwidthMiBPerSecond = bandwidth }, Ct));
        return definition;
    }

    private static async Task<CopyProgress> Progress(TestFleet fleet, DomainDefinition definition) =>
        Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct));

    [Fact]
    public Task The_first_pass_takes_all_of_memory_at_the_links_speed() => OnTestFleet(async fleet =>
    {
        var definition = await Copying(fleet, bandwidth: 64, PreCopy, Dirties(0, 1));
        await Pass(fleet, 2);

        var half = await Progress(fleet, definition);
        Assert.Equal(CopyPhase.Copying, half.Phase);
        Assert.Equal(half.BytesTotal / 2, half.BytesTransferred);

        await Pass(fleet, 2);
        Assert.Equal(CopyPhase.HoldingBeforeSwitchOver, (await Progress(fleet, definition)).Phase);
    });

    [Fact]
    public Task A_guest_that_writes_faster_than_the_link_never_converges() => OnTestFleet(async fleet =>
    {
        var definition = await Copying(fleet, bandwidth: 64, PreCopy, Dirties(200, 128));
        await Pass(fleet, 120);

        var progress = await Progress(fleet, definition);
        Assert.Equal(CopyPhase.Copying, progress.Phase);
        Assert.True(progress.Passes > 10);
        Assert.InRange(progress.DirtyMiBPerSecond, 40, 200);
    });

    [Fact]
    public Task Auto_converge_slows_such_a_guest_until_it_does() => OnTestFleet(async fleet =>
    {
        var definition = await Copying(fleet, bandwidth: 64, PreCopy with { AutoConverge = true }, Dirties(200, 128));
        await Pass(fleet, 120);

        Assert.Equal(CopyPhase.HoldingBeforeSwitchOver, (await Progress(fleet, definition)).Phase);
        Assert.InRange(DomainOf(fleet.Source, definition).Workload!.Throttle, 0.2, 0.99);
    });

    [Fact]
    public Task An_aborted_copy_gives_the_guest_its_speed_back_and_stops_logging() => OnTestFleet(async fleet =>
    {
        var definition = await Copying(fleet, bandwidth: 64, PreCopy with { AutoConverge = true }, Dirties(200, 128));
        await Pass(fleet, 60);

        Ok(await fleet.Source.Migration.AbortCopyAsync(definition.Ref, Ct));

        Assert.Equal(0, DomainOf(fleet.Source, definition).Workload!.Throttle);
        Assert.False(DomainOf(fleet.Source, definition).Memory!.IsLogging);
    });

    [Fact]
    public Task The_downtime_is_what_is_left_over_the_bandwidth() => OnTestFleet(async fleet =>
    {
        var definition = await Copying(fleet, bandwidth: 64, PreCopy, Dirties(8, 64));
        await Pass(fleet, 20);

        Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct));

        var downtime = (await Progress(fleet, definition)).Downtime!.Value - Options.SwitchOverOverhead;
        // A round of the hold is 100 ms: no more than what the guest writes in one and what was being sent can be left.
        Assert.InRange(downtime, TimeSpan.Zero, TimeSpan.FromSeconds(2 * 0.1 * 8 / 64));
    });

    [Fact]
    public Task What_a_device_writes_during_the_copy_is_on_the_target_as_it_was_last_written() => OnTestFleet(async fleet =>
    {
        var (definition, there) = await PrepareToTravel(fleet);
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition with { Devices = [there] }, Ct));
        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, PreCopy with { BandwidthMiBPerSecond = 64 }, Ct));
        var function = ModelOf(fleet.Source).Tree.Find(definition.Devices[0].Claim.Address)!;
        for (var write = 0; write < 40; write++)
        {
            await Pass(fleet, 0.25);
            long address = 1000 * (write % 10);
            Assert.True(ModelOf(fleet.Source).Iommu.Write(function.Address, function.IommuGroup, address, [(byte)(write + 1), 1]));
        }

        Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct));

        var target = DomainOf(fleet.Target, definition).Memory!;
        var bytes = new byte[2];
        for (var place = 0; place < 10; place++)
        {
            target.Read(1000 * place, bytes);
            Assert.Equal([(byte)(30 + place + 1), 1], bytes);
        }
    });

    [Fact]
    public Task A_guest_that_is_switched_off_ends_its_copy() => OnTestFleet(async fleet =>
    {
        var definition = await Copying(fleet, bandwidth: 64, PreCopy, Dirties(200, 128));
        Ok(await fleet.Source.DestroyAsync(definition.Ref, Ct));
        await Pass(fleet, 60);

        Assert.Equal(CopyPhase.Failed, (await Progress(fleet, definition)).Phase);
        Assert.Null(await StateOf(fleet.Target, definition.Ref.Vm));
        Assert.Equal(DomainState.Off, await StateOf(fleet.Source, definition.Ref.Vm));
    });

    [Fact]
    public Task A_paused_guest_arrives_paused() => OnTestFleet(async fleet =>
    {
        var definition = await Run(fleet);
        Ok(await fleet.Source.PauseAsync(definition.Ref, Ct));
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct));
        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, PreCopy, Ct));
        await Pass(fleet, 5);

        Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct));

        Assert.Equal(DomainState.Paused, await StateOf(fleet.Target, definition.Ref.Vm));
    });

    [Fact]
    public Task A_device_whose_state_travels_goes_into_an_equal_one() => OnTestFleet(async fleet =>
    {
        var (definition, there) = await PrepareToTravel(fleet);
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition with { Devices = [there] }, Ct));
        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, PreCopy, Ct));
        await Pass(fleet, 5);

        Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct));
        await Pass(fleet, 1);

        Assert.Equal(there.Claim, Assert.Single(Ok(await fleet.Target.FindDomainAsync(definition.Ref.Vm, Ct))!.Devices).Claim);
        Assert.False((await DeviceOf(fleet.Source, definition.Devices[0].Claim.Address))!.HeldOpen);
    });

    [Fact]
    public Task A_device_does_not_travel_into_another_model_or_to_another_guest_address() => OnTestFleet(async fleet =>
    {
        var (definition, there) = await PrepareToTravel(fleet);
        var moved = definition with { Devices = [there with { GuestAddress = Domain.Pci.PciAddress.Parse("0000:09:00.0") }] };
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(moved, Ct));

        Refused("device-differs", await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, PreCopy, Ct));
    });

    /// <summary>A running guest with a function, and an equal one prepared on the target.</summary>
    private async Task<(DomainDefinition Definition, DomainDevice There)> PrepareToTravel(TestFleet fleet)
    {
        var definition = await RunWithDevice(fleet);
        var there = definition.Devices[0] with { Claim = new Domain.Pci.DeviceClaim(await FirstVirtualFunction(fleet, fleet.Target), First) };
        Ok(await fleet.Target.PrepareDeviceAsync(there.Claim, definition.Ref.Vm, there.Settings, Ct));
        return (definition, there);
    }
}

using ControlPlane.Domain.Migrations;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Net;
using ControlPlane.Hypervisor.Emulated.Nics;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Migration;

/// <summary>A guest's driver does not notice the switch-over: queues and rings go on where they stood.</summary>
public sealed class NicStateTests : EmulatedTest
{
    [Fact]
    public Task A_virtqueue_goes_on_on_the_target_and_is_not_set_up_again() => OnTestFleet(async fleet =>
    {
        var definition = await LaunchAndCopyAsync(fleet);
        var before = NicOf<VirtioNic>(fleet.Source, definition).Save();
        Assert.True(before.Transmit.Device.Used > 100, $"{before.Transmit.Device.Used} chains were used.");

        Assert.Equal(SwitchOverResult.OnTarget, Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct)));
        var after = NicOf<VirtioNic>(fleet.Target, definition).Save();
        await Pass(fleet, 1);
        Ok(await fleet.Target.PingAsync(Ct));
        var later = NicOf<VirtioNic>(fleet.Target, definition).Save();

        Assert.Equal(before.Rings, after.Rings);
        Assert.True(after.Transmit.Device.Used >= before.Transmit.Device.Used, $"{before.Transmit} {after.Transmit}");
        Assert.True(later.Transmit.Device.Used > after.Transmit.Device.Used && later.Receive.Device.Used > after.Receive.Device.Used, $"{after} {later}");
        Assert.Equal(0, DomainOf(fleet.Target, definition).Nics.All.Single()[NicCount.DroppedFrames]);
    });

    [Fact]
    public Task An_e1000_keeps_its_registers_and_its_driver_sets_none_up_again() => OnTestFleet(async fleet =>
    {
        var definition = await LaunchAndCopyAsync(fleet, (GuestLabels.Nic, "e1000"));
        var before = NicOf<E1000Nic>(fleet.Source, definition).Save();

        Assert.Equal(SwitchOverResult.OnTarget, Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct)));
        var after = NicOf<E1000Nic>(fleet.Target, definition).Save();
        await Pass(fleet, 1);
        Ok(await fleet.Target.PingAsync(Ct));
        var later = NicOf<E1000Nic>(fleet.Target, definition).Save();

        Assert.Equal(before.Rings, after.Rings);
        Assert.Equal(before.Registers[E1000Register.ReceiveBaseLow], after.Registers[E1000Register.ReceiveBaseLow]);
        Assert.NotEqual(after.Driver, later.Driver);
        var counters = DomainOf(fleet.Target, definition).Nics.All.Single();
        Assert.Equal(0, counters[NicCount.DroppedFrames]);
        // One write for each frame sent and each batch taken, none to program the rings.
        Assert.InRange(counters[NicCount.RegisterWrites], counters[NicCount.TransmittedFrames], counters[NicCount.TransmittedFrames] + counters[NicCount.ReceivedFrames]);
    });

    [Fact]
    public Task A_host_that_dies_keeps_no_memory_for_a_guest_that_was_to_come() => OnTestFleet(async fleet =>
    {
        var definition = await Launch(fleet, NewDefinition(fleet));
        Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct));
        var (memory, frame) = (ModelOf(fleet.Target).Memory, DomainOf(fleet.Target, definition).FirstFrame);
        Assert.True(memory.TryFind(frame, out _, out _));

        await fleet.CrashAsync(fleet.Target);

        Assert.False(memory.TryFind(frame, out _, out _));
    });

    /// <summary>A guest that sends and is answered, copied until its copy holds.</summary>
    private async Task<DomainDefinition> LaunchAndCopyAsync(TestFleet fleet, params (string, string)[] labels)
    {
        var definition = Labelled(NewDefinition(fleet), [(GuestLabels.Traffic, "500"), .. labels]) with { Interfaces = [Standby() with { Standby = false }] };
        await Launch(fleet, definition);
        await Pass(fleet, 10);
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct));
        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, PreCopy, Ct));
        while (Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct)).Phase != CopyPhase.HoldingBeforeSwitchOver)
            await Pass(fleet, 0.05);
        await Pass(fleet, 1);
        Ok(await fleet.Source.PingAsync(Ct));
        return definition;
    }

    private static TNic NicOf<TNic>(IHypervisor host, DomainDefinition definition)
        where TNic : GuestNic => (TNic)DomainOf(host, definition).Network!.Carrier!.Nic;
}

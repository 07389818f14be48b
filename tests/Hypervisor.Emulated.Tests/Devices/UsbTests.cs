using ControlPlane.Domain.Migrations;
using ControlPlane.Hypervisor.Emulated.Devices;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Devices;

/// <summary>A USB device of a host in a guest, by packets.</summary>
public sealed class UsbTests : EmulatedTest
{
    private const string Id = "0525:a4a0";

    [Fact]
    public Task A_guest_enumerates_the_device_and_the_address_stays_with_its_controller() => OnTestFleet(async fleet =>
    {
        var (_, usb) = await LaunchWithDevice(fleet);

        Assert.Equal((UsbDriverState.Configured, Id), (usb.Driver!.State, usb.Driver.Id.ToString()));
        Assert.Equal((1, 1), (usb.Controller!.Counters.Enumerations, usb.Controller.Counters.KeptAddresses));
        Assert.Equal((7, 0), (usb.Controller.Address, usb.Controller.Export!.Device.AddressesSet));
        // Five control transfers by packets, there and back; the sixth was the address.
        Assert.Equal((5, 5), (usb.Controller.Counters.SentPackets, usb.Controller.Counters.ReceivedPackets));
    });

    [Fact]
    public Task What_the_guest_sends_comes_back_and_each_transfer_is_one_exit_of_submission() => OnTestFleet(async fleet =>
    {
        var (definition, usb) = await LaunchWithDevice(fleet);
        await Look(fleet, fleet.Source, definition, 3);

        Assert.InRange(usb.Driver!.RoundTrips, 140, 151);
        Assert.True(usb.Driver.Reports > 100);
        var counters = usb.Controller!.Counters;
        Assert.Equal((0, 0), (counters.Errors, counters.RemotePackets));
        var submitted = counters.SentPackets + counters.KeptAddresses;
        Assert.True(counters.Exits >= submitted + counters.Interrupts, $"{counters.Exits} exits, {submitted} packets, {counters.Interrupts} interrupts");
        Assert.True(counters.Interrupts <= counters.Transfers);
    });

    [Fact]
    public Task A_device_is_given_to_one_guest_at_a_time() => OnTestFleet(async fleet =>
    {
        var (first, _) = await LaunchWithDevice(fleet);
        var second = await Launch(fleet, Labelled(NewDefinition(fleet), (GuestLabels.Usb, Id)));
        await Look(fleet, fleet.Source, second, 1);
        var waiting = DomainOf(fleet.Source, second).Peripherals!.Usb;
        Assert.Null(waiting.Controller);
        Assert.True(ModelOf(fleet.Source).Peripherals.Usb.RefusedAttachments > 0);

        Ok(await fleet.Source.DestroyAsync(first.Ref, Ct));
        await Look(fleet, fleet.Source, second, 4);

        Assert.Equal(UsbDriverState.Configured, waiting.Driver!.State);
    });

    [Fact] // The device stays where it is plugged in; its packets go over the wire from then on.
    public Task After_a_migration_packets_are_remote_and_slower_and_none_is_lost() => OnTestFleet(async fleet =>
    {
        var (definition, usb) = await LaunchWithDevice(fleet, "200");
        await Look(fleet, fleet.Source, definition, 3);
        var local = usb.Controller!.Counters;
        var (waited, transfers) = (local.Waited, local.Transfers);

        await Move(fleet, definition);
        await Look(fleet, fleet.Target, definition, 3);

        var moved = DomainOf(fleet.Target, definition).Peripherals!.Usb;
        var counters = moved.Controller!.Counters;
        Assert.Null(usb.Controller);
        Assert.Equal((fleet.Source.Host, true), (moved.Controller.Export!.Bus.Host, moved.Controller.IsRemote));
        Assert.Equal((1, 0, 0), (counters.Enumerations, counters.Errors, counters.Disconnects));
        Assert.True(counters.RemotePackets > 1000);
        Assert.True((counters.Waited - waited) / (counters.Transfers - transfers) >= (waited / transfers) + (2 * UsbExport.WireDelay) - TimeSpan.FromMicroseconds(40));
        Assert.True(moved.Driver!.RoundTrips > 1000);
    });

    [Fact]
    public Task A_device_that_is_pulled_out_ends_its_transfers_with_an_error_and_comes_back_when_it_is_plugged_in() => OnTestFleet(async fleet =>
    {
        var (definition, usb) = await LaunchWithDevice(fleet);
        await Look(fleet, fleet.Source, definition, 1);
        var status = 0;
        using (ModelOf(fleet.Source).Clock.Enter())
            usb.Controller!.Submit(UsbDirection.In, UsbDevice.InterruptIn, 4, default, default, answer => status = answer.Status);

        fleet.SetLabel(fleet.Source, HostLabels.UsbDeviceIds, "");
        Assert.Equal((UsbStatus.Gone, 1, UsbDriverState.Idle, 0), (status, usb.Controller!.Counters.Disconnects, usb.Driver!.State, usb.Controller.UnderWay));

        fleet.SetLabel(fleet.Source, HostLabels.UsbDeviceIds, Id);
        await Look(fleet, fleet.Source, definition, 1);
        Assert.Equal((2, UsbDriverState.Configured), (usb.Controller.Counters.Enumerations, usb.Driver.State));
    });

    [Fact]
    public Task A_guest_elsewhere_sees_a_disconnect_when_the_devices_host_dies() => OnTestFleet(async fleet =>
    {
        var (definition, _) = await LaunchWithDevice(fleet);
        await Move(fleet, definition);
        var usb = DomainOf(fleet.Target, definition).Peripherals!.Usb;

        await fleet.CrashAsync(fleet.Source);
        await Look(fleet, fleet.Target, definition, 1);

        Assert.Equal((1, UsbDriverState.Idle), (usb.Controller!.Counters.Disconnects, usb.Driver!.State));
        Assert.Equal(DomainState.Running, await StateOf(fleet.Target, definition.Ref.Vm));
    });

    [Fact]
    public Task A_transfer_that_is_taken_back_ends_as_unlinked_and_one_that_was_done_as_it_ended() => OnTestFleet(async fleet =>
    {
        var (_, usb) = await LaunchWithDevice(fleet);
        var ends = new List<int>();
        using (ModelOf(fleet.Source).Clock.Enter())
        {
            // Its report comes in 8 ms.
            var report = usb.Controller!.Submit(UsbDirection.In, UsbDevice.InterruptIn, 4, default, default, answer => ends.Add(answer.Status));
            usb.Controller.Unlink(report);
        }
        await Pass(fleet, 1);
        Ok(await fleet.Source.PingAsync(Ct));
        Assert.Equal([UsbStatus.Unlinked], ends);

        using (ModelOf(fleet.Source).Clock.Enter())
            usb.Controller!.Unlink(usb.Controller.Submit(UsbDirection.Out, 0, 0, new UsbSetup(0, UsbDevice.SetAddress, 9, 0, 0), default, answer => ends.Add(answer.Status)));
        await Pass(fleet, 1);
        Ok(await fleet.Source.PingAsync(Ct));
        Assert.Equal([UsbStatus.Unlinked, UsbStatus.Done], ends);
        Assert.Equal((2, 0, 0), (usb.Controller!.Counters.Unlinks, usb.Controller.Counters.Errors, usb.Controller.UnderWay));
    });

    [Fact]
    public void A_device_that_is_not_configured_stalls_and_after_a_reset_it_is_not()
    {
        var device = new UsbDevice(new UsbId(1, 2));
        var read = UsbPacket.Submit(1, UsbDirection.In, UsbDevice.BulkIn, 512, default, default);
        Assert.Equal(UsbStatus.Stalled, device.Handle(read).Status);

        device.Handle(UsbPacket.Submit(2, UsbDirection.Out, 0, 0, new UsbSetup(0, UsbDevice.SetConfiguration, 1, 0, 0), default));
        device.Handle(UsbPacket.Submit(3, UsbDirection.Out, UsbDevice.BulkOut, 3, default, new byte[] { 1, 2, 3 }));
        Assert.Equal([1, 2, 3], device.Handle(read).Data.ToArray());
        device.Handle(UsbPacket.Submit(4, UsbDirection.Out, UsbDevice.BulkOut, 3, default, new byte[] { 7, 7, 7 }));

        device.Reset();

        Assert.Equal(UsbStatus.Stalled, device.Handle(read).Status);
        device.Handle(UsbPacket.Submit(5, UsbDirection.Out, 0, 0, new UsbSetup(0, UsbDevice.SetConfiguration, 1, 0, 0), default));
        Assert.Empty(device.Handle(read).Data.ToArray());
    }

    [Fact] // The example of Linux's usbip_protocol.rst: a control transfer that reads 8 bytes of the device descriptor.
    public void A_submit_is_laid_out_as_usb_ip_lays_it_out()
    {
        var submit = UsbPacket.Submit(0x0d05, UsbDirection.In, 0, 0x40, new UsbSetup(0x80, 6, 0x100, 0, 0x40), default);
        var bytes = submit.ToBytes();

        Assert.Equal(UsbPacket.HeaderBytes, bytes.Length);
        Assert.Equal("00000001" + "00000d05" + "00010002" + "00000001" + "00000000", Convert.ToHexStringLower(bytes[..20]));
        Assert.Equal("00000040", Convert.ToHexStringLower(bytes[24..28]));
        Assert.Equal("80060001" + "00004000", Convert.ToHexStringLower(bytes[40..]));
        Assert.Equal(submit with { Data = default }, UsbPacket.Parse(bytes) with { Data = default });
    }

    [Theory]
    [InlineData(UsbStatus.Stalled)]
    [InlineData(UsbStatus.Done)]
    public void A_return_comes_through_the_wire_as_it_went_in(int status)
    {
        var submit = UsbPacket.Submit(7, UsbDirection.In, 1, 512, default, default);
        var answer = submit.Return(status, 3, new byte[] { 1, 2, 3 });

        var parsed = UsbPacket.Parse(answer.ToBytes());

        Assert.Equal((UsbCommand.SubmitReturn, 7u, status, 3), (parsed.Command, parsed.Sequence, parsed.Status, parsed.Length));
        Assert.Equal([1, 2, 3], parsed.Data.ToArray());
        Assert.Equal((UsbCommand.Unlink, 7u), (UsbPacket.Parse(UsbPacket.Unlink(8, 7).ToBytes()).Command, UsbPacket.Parse(UsbPacket.Unlink(8, 7).ToBytes()).Unlinks));
    }

    [Theory]
    [InlineData("0525:a4a0", 0x0525, 0xa4a0, 50)]
    [InlineData("0525:a4a0@200", 0x0525, 0xa4a0, 200)]
    public void A_wish_is_read(string text, ushort vendor, ushort product, int rate) => Assert.Equal(new UsbWish(new UsbId(vendor, product), rate), UsbWish.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("525:a4a0")]
    [InlineData("0525-a4a0")]
    [InlineData("0525:a4a0@0")]
    [InlineData("0525:a4a0@1@2")]
    public void What_cannot_be_read_is_no_wish(string text) => Assert.Null(UsbWish.Parse(text));

    private async Task<(DomainDefinition Definition, GuestUsb Usb)> LaunchWithDevice(TestFleet fleet, string rate = "50")
    {
        fleet.SetLabel(fleet.Source, HostLabels.UsbDeviceIds, Id);
        var definition = await Launch(fleet, Labelled(NewDefinition(fleet), (GuestLabels.Usb, $"{Id}@{rate}")));
        await Pass(fleet, 5);
        Ok(await fleet.Source.PingAsync(Ct));
        return (definition, DomainOf(fleet.Source, definition).Peripherals!.Usb);
    }

    private static async Task Look(TestFleet fleet, IHypervisor host, DomainDefinition definition, double seconds)
    {
        Ok(await host.Statistics.ReadDomainStatisticsAsync(definition.Ref.Vm, Ct));
        await Pass(fleet, seconds);
        Ok(await host.PingAsync(Ct));
    }

    private static async Task Move(TestFleet fleet, DomainDefinition definition)
    {
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct));
        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, PreCopy, Ct));
        while (Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct)).Phase != CopyPhase.HoldingBeforeSwitchOver)
            await Pass(fleet, 0.05);
        Assert.Equal(SwitchOverResult.OnTarget, Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct)));
    }
}

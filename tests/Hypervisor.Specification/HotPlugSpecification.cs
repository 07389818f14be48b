using Xunit;

namespace ControlPlane.Hypervisor.Specification;

/// <summary>Devices and interfaces that come to and go from a guest that cooperates.</summary>
public abstract class HotPlugSpecification : HypervisorSpecification
{
    [Fact]
    public Task A_plugged_device_is_the_guests_at_its_address() => OnFleet(async fleet =>
    {
        var definition = await Run(fleet);
        var device = Device(await FirstVirtualFunction(fleet, fleet.Source));
        Ok(await fleet.Source.PrepareDeviceAsync(device.Claim, definition.Ref.Vm, device.Settings, Ct));

        Ok(await fleet.Source.PlugAsync(definition.Ref, device, Ct));
        Ok(await fleet.Source.PlugAsync(definition.Ref, device, Ct));

        var plugged = Assert.Single(Ok(await fleet.Source.FindDomainAsync(definition.Ref.Vm, Ct))!.Devices);
        Assert.Equal(new PluggedDevice(device.Name, device.Claim, device.GuestAddress, device.Settings.Mac), plugged);
        Assert.True((await DeviceOf(fleet.Source, device.Claim.Address))?.HeldOpen);
    });

    [Fact]
    public Task An_unplugged_device_is_closed_and_still_prepared() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);

        Assert.Equal(UnplugResult.Unplugged, Ok(await fleet.Source.UnplugAsync(definition.Ref, "net0", Patience, Ct)));
        Assert.Equal(UnplugResult.Unplugged, Ok(await fleet.Source.UnplugAsync(definition.Ref, "net0", Patience, Ct)));

        Assert.Empty(Ok(await fleet.Source.FindDomainAsync(definition.Ref.Vm, Ct))!.Devices);
        var status = await DeviceOf(fleet.Source, definition.Devices[0].Claim.Address);
        Assert.Equal((definition.Ref.Vm, false), (status?.Owner, status!.HeldOpen));
    });

    [Fact]
    public Task A_device_can_be_plugged_again_where_it_was() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        Ok(await fleet.Source.UnplugAsync(definition.Ref, "net0", Patience, Ct));

        Ok(await fleet.Source.PlugAsync(definition.Ref, definition.Devices[0], Ct));

        var plugged = Assert.Single(Ok(await fleet.Source.FindDomainAsync(definition.Ref.Vm, Ct))!.Devices);
        Assert.Equal((definition.Devices[0].GuestAddress, definition.Devices[0].Settings.Mac), (plugged.GuestAddress, plugged.Mac));
    });

    [Fact]
    public Task A_domain_that_is_off_takes_and_gives_devices_without_a_guest() => OnFleet(async fleet =>
    {
        var definition = NewDefinition(fleet);
        Ok(await fleet.Source.DefineAsync(definition, Ct));
        var device = Device(await FirstVirtualFunction(fleet, fleet.Source));
        Ok(await fleet.Source.PrepareDeviceAsync(device.Claim, definition.Ref.Vm, device.Settings, Ct));

        Ok(await fleet.Source.PlugAsync(definition.Ref, device, Ct));
        Assert.False((await DeviceOf(fleet.Source, device.Claim.Address))?.HeldOpen);
        Ok(await fleet.Source.StartAsync(definition.Ref, Ct));
        Assert.True((await DeviceOf(fleet.Source, device.Claim.Address))?.HeldOpen);
    });

    [Fact]
    public Task A_name_and_a_guest_address_are_given_once() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        var second = (await VirtualFunctionsOf(fleet, fleet.Source))[1].Address;
        var sameName = Device(second, number: 2) with { GuestAddress = Domain.Pci.PciAddress.Parse("0000:09:00.0") };
        var sameAddress = Device(second, "net1", number: 2);
        Ok(await fleet.Source.PrepareDeviceAsync(sameName.Claim, definition.Ref.Vm, sameName.Settings, Ct));

        Refused("device-name-taken", await fleet.Source.PlugAsync(definition.Ref, sameName, Ct));
        Refused("guest-address-taken", await fleet.Source.PlugAsync(definition.Ref, sameAddress, Ct));
    });

    [Fact]
    public Task An_interface_comes_changes_and_goes() => OnFleet(async fleet =>
    {
        var definition = await Run(fleet);
        var added = Standby("net9", 9) with { Standby = false };

        Ok(await fleet.Source.PlugInterfaceAsync(definition.Ref, added, Ct));
        Ok(await fleet.Source.PlugInterfaceAsync(definition.Ref, added, Ct));
        Assert.Equal(added, Assert.Single(Ok(await fleet.Source.FindDomainAsync(definition.Ref.Vm, Ct))!.Interfaces));

        Ok(await fleet.Source.PlugInterfaceAsync(definition.Ref, added with { Vlan = 7 }, Ct));
        Assert.Equal(7, Assert.Single(Ok(await fleet.Source.FindDomainAsync(definition.Ref.Vm, Ct))!.Interfaces).Vlan);

        Assert.Equal(UnplugResult.Unplugged, Ok(await fleet.Source.UnplugInterfaceAsync(definition.Ref, "net9", Patience, Ct)));
        Assert.Equal(UnplugResult.Unplugged, Ok(await fleet.Source.UnplugInterfaceAsync(definition.Ref, "net9", Patience, Ct)));
        Assert.Empty(Ok(await fleet.Source.FindDomainAsync(definition.Ref.Vm, Ct))!.Interfaces);
    });

    [Fact]
    public Task The_standbys_link_goes_up_and_down() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);

        Ok(await fleet.Source.SetStandbyLinkAsync(definition.Ref, "net0", false, Ct));
        Assert.False(Assert.Single(Ok(await fleet.Source.FindDomainAsync(definition.Ref.Vm, Ct))!.Interfaces).LinkUp);
        Ok(await fleet.Source.SetStandbyLinkAsync(definition.Ref, "net0", true, Ct));
        Ok(await fleet.Source.SetStandbyLinkAsync(definition.Ref, "net0", true, Ct));
        Assert.True(Assert.Single(Ok(await fleet.Source.FindDomainAsync(definition.Ref.Vm, Ct))!.Interfaces).LinkUp);
        Refused("interface-not-found", await fleet.Source.SetStandbyLinkAsync(definition.Ref, "net7", true, Ct));
    });
}

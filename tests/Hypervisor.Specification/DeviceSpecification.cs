using ControlPlane.Domain.Pci;
using Xunit;

namespace ControlPlane.Hypervisor.Specification;

/// <summary>A device between owners: prepared for one, proven clean before the next.</summary>
public abstract class DeviceSpecification : HypervisorSpecification
{
    [Fact]
    public Task A_prepared_device_is_bound_to_vfio_and_carries_its_settings() => OnFleet(async fleet =>
    {
        var (vm, claim) = (NewVm(), new DeviceClaim(await FirstVirtualFunction(fleet, fleet.Source), First));

        Ok(await fleet.Source.PrepareDeviceAsync(claim, vm, SettingsFor(1), Ct));
        Ok(await fleet.Source.PrepareDeviceAsync(claim, vm, SettingsFor(1), Ct));

        var status = await DeviceOf(fleet.Source, claim.Address);
        Assert.Equal(new DeviceStatus(claim, vm, "vfio-pci", SettingsFor(1), HeldOpen: false), status);
        Assert.Equal("vfio-pci", Ok(await fleet.Source.ReadInventoryAsync(Ct)).Functions.Single(f => f.Address == claim.Address).Driver);
    });

    [Fact]
    public Task A_prepared_device_is_not_prepared_for_another_under_the_same_claim() => OnFleet(async fleet =>
    {
        var claim = new DeviceClaim(await FirstVirtualFunction(fleet, fleet.Source), First);
        Ok(await fleet.Source.PrepareDeviceAsync(claim, NewVm(), SettingsFor(1), Ct));

        Refused("device-owned", await fleet.Source.PrepareDeviceAsync(claim, NewVm(), SettingsFor(1), Ct));
    });

    [Fact]
    public Task A_cleaned_device_is_proven_clean_and_as_it_was_before() => OnFleet(async fleet =>
    {
        var before = (await VirtualFunctionsOf(fleet, fleet.Source))[0];
        var claim = new DeviceClaim(before.Address, First);
        Ok(await fleet.Source.PrepareDeviceAsync(claim, NewVm(), SettingsFor(1) with { Trust = true, MaxTxRateMbps = 100 }, Ct));

        var proof = Ok(await fleet.Source.CleanDeviceAsync(claim, Ct));

        Assert.Null(proof.Failing());
        Assert.NotNull(proof.Reset);
        Assert.Equal(proof, Ok(await fleet.Source.CleanDeviceAsync(claim, Ct)));
        Assert.Null(await DeviceOf(fleet.Source, before.Address));
        Assert.Equal(before.Driver, (await VirtualFunctionsOf(fleet, fleet.Source))[0].Driver);
    });

    [Fact]
    public Task A_device_that_a_running_domain_holds_is_not_clean() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);

        var proof = Ok(await fleet.Source.CleanDeviceAsync(definition.Devices[0].Claim, Ct));

        Assert.False(proof.VmmClosed);
        Assert.NotNull(proof.Failing());
        Assert.Equal(DomainState.Running, await StateOf(fleet.Source, definition.Ref.Vm));
    });

    [Fact]
    public Task Cleaning_waits_for_the_VMM_that_is_closing() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        Ok(await fleet.Source.DestroyAsync(definition.Ref, Ct));

        var proof = Ok(await fleet.Source.CleanDeviceAsync(definition.Devices[0].Claim, Ct));

        Assert.Null(proof.Failing());
    });

    [Fact]
    public Task A_domain_is_not_defined_with_a_device_that_was_not_prepared_for_it() => OnFleet(async fleet =>
    {
        var device = Device(await FirstVirtualFunction(fleet, fleet.Source));
        var definition = NewDefinition(fleet, GuestManner.Cooperative, device);
        Refused("device-not-prepared", await fleet.Source.DefineAsync(definition, Ct));

        Ok(await fleet.Source.PrepareDeviceAsync(device.Claim, NewVm(), device.Settings, Ct));
        Refused("device-not-prepared", await fleet.Source.DefineAsync(definition, Ct));
    });

    [Fact]
    public Task Bridges_and_unknown_addresses_are_not_prepared() => OnFleet(async fleet =>
    {
        var bridge = Ok(await fleet.Source.ReadInventoryAsync(Ct)).Functions.First(f => f.Kind == PciKind.Bridge);

        Refused("not-an-endpoint", await fleet.Source.PrepareDeviceAsync(new DeviceClaim(bridge.Address, First), NewVm(), DeviceSettings.None, Ct));
        var nowhere = new DeviceClaim(PciAddress.Parse("0000:ee:1f.7"), First);
        Refused("pci-device-not-found", await fleet.Source.PrepareDeviceAsync(nowhere, NewVm(), DeviceSettings.None, Ct));
        Refused("pci-device-not-found", await fleet.Source.CleanDeviceAsync(nowhere, Ct));
    });

    [Fact]
    public Task A_physical_function_is_not_given_away_while_one_of_its_functions_is_in_use() => OnFleet(async fleet =>
    {
        await RunWithDevice(fleet);
        var physical = new DeviceClaim(fleet.PhysicalFunction(fleet.Source), First);

        Refused("vf-in-use", await fleet.Source.PrepareDeviceAsync(physical, NewVm(), DeviceSettings.None, Ct));
    });

    [Fact]
    public Task Two_domains_never_hold_one_device() => OnFleet(async fleet =>
    {
        var first = await RunWithDevice(fleet);
        var second = NewDefinition(fleet);
        Ok(await fleet.Source.DefineAsync(second, Ct));
        var next = first.Devices[0] with { Claim = first.Devices[0].Claim with { Generation = new Domain.Generation(2) } };

        Refused("device-busy", await fleet.Source.PrepareDeviceAsync(next.Claim, second.Ref.Vm, next.Settings, Ct));
        Refused("device-not-prepared", await fleet.Source.PlugAsync(second.Ref, next, Ct));
    });
}

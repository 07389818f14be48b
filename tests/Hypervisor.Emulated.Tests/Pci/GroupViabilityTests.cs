using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Pci;

/// <summary>VFIO's rule: a group is opened whole or not at all, bridges excepted.</summary>
public sealed class GroupViabilityTests : EmulatedTest
{
    private static readonly PciAddress First7 = PciAddress.Parse("0000:07:01.0");
    private static readonly PciAddress Second7 = PciAddress.Parse("0000:07:02.0");

    private static DomainDevice Plain(PciAddress address) => Device(address) with { Settings = DeviceSettings.None };

    [Fact]
    public Task A_conventional_device_is_not_opened_while_the_host_drives_its_neighbour() => OnTestFleet(async fleet =>
    {
        var definition = NewDefinition(fleet, devices: Plain(First7));
        Ok(await fleet.Source.PrepareDeviceAsync(definition.Devices[0].Claim, definition.Ref.Vm, DeviceSettings.None, Ct));
        Ok(await fleet.Source.DefineAsync(definition, Ct));

        var refused = await fleet.Source.StartAsync(definition.Ref, Ct);

        Refused("group-not-viable", refused);
        Assert.Contains($"{Second7} is bound to 8139cp", refused.Fault!.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("0000:06:00.0", refused.Fault.Detail, StringComparison.Ordinal);
        Assert.Equal(DomainState.Off, await StateOf(fleet.Source, definition.Ref.Vm));
    });

    [Fact]
    public Task With_its_companion_prepared_too_the_device_is_opened() => OnTestFleet(async fleet =>
    {
        var definition = NewDefinition(fleet, devices: Plain(First7));
        Ok(await fleet.Source.PrepareDeviceAsync(definition.Devices[0].Claim, definition.Ref.Vm, DeviceSettings.None, Ct));
        Ok(await fleet.Source.PrepareDeviceAsync(new DeviceClaim(Second7, First), definition.Ref.Vm, DeviceSettings.None, Ct));
        Ok(await fleet.Source.DefineAsync(definition, Ct));

        Ok(await fleet.Source.StartAsync(definition.Ref, Ct));

        Assert.True((await DeviceOf(fleet.Source, First7))!.HeldOpen);
        Assert.False((await DeviceOf(fleet.Source, Second7))!.HeldOpen);
    });

    [Fact]
    public Task Two_guests_never_share_a_group() => OnTestFleet(async fleet =>
    {
        var (one, other) = (NewDefinition(fleet, devices: Plain(First7)), NewDefinition(fleet, devices: Plain(Second7)));
        Ok(await fleet.Source.PrepareDeviceAsync(one.Devices[0].Claim, one.Ref.Vm, DeviceSettings.None, Ct));
        Ok(await fleet.Source.PrepareDeviceAsync(other.Devices[0].Claim, other.Ref.Vm, DeviceSettings.None, Ct));
        Ok(await fleet.Source.DefineAsync(one, Ct));
        Ok(await fleet.Source.DefineAsync(other, Ct));
        Ok(await fleet.Source.StartAsync(one.Ref, Ct));

        Refused("device-busy", await fleet.Source.StartAsync(other.Ref, Ct));
    });

    [Fact]
    public Task A_device_without_a_working_reset_is_never_proven_clean() => OnTestFleet(async fleet =>
    {
        var claim = new DeviceClaim(Second7, First);
        Ok(await fleet.Source.PrepareDeviceAsync(claim, NewVm(), DeviceSettings.None, Ct));

        var proof = Ok(await fleet.Source.CleanDeviceAsync(claim, Ct));

        Assert.Equal("it has no working reset", proof.Failing());
    });

    [Fact]
    public Task A_physical_function_that_comes_back_makes_its_functions_again() => OnTestFleet(async fleet =>
    {
        var physical = fleet.PhysicalFunction(fleet.Source);
        var before = (await VirtualFunctionsOf(fleet, fleet.Source)).Select(f => f.Address).ToArray();
        Ok(await fleet.Source.PrepareDeviceAsync(new DeviceClaim(physical, First), NewVm(), DeviceSettings.None, Ct));
        Assert.Empty(await VirtualFunctionsOf(fleet, fleet.Source));
        Refused("pf-assigned", await fleet.Source.SetVirtualFunctionCountAsync(physical, 2, Ct));

        Assert.Null(Ok(await fleet.Source.CleanDeviceAsync(new DeviceClaim(physical, First), Ct)).Failing());

        Assert.Equal(before, (await VirtualFunctionsOf(fleet, fleet.Source)).Select(f => f.Address));
    });
}

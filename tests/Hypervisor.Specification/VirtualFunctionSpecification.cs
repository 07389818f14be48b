using ControlPlane.Domain.Pci;
using Xunit;

namespace ControlPlane.Hypervisor.Specification;

/// <summary>Linux's rules for <c>sriov_numvfs</c>, as the port words them.</summary>
public abstract class VirtualFunctionSpecification : HypervisorSpecification
{
    [Fact]
    public Task A_count_makes_that_many_functions_at_the_routing_ids_of_the_capability() => OnFleet(async fleet =>
    {
        var physical = fleet.PhysicalFunction(fleet.Source);
        var made = Ok(await fleet.Source.SetVirtualFunctionCountAsync(physical, 2, Ct));

        var inventory = Ok(await fleet.Source.ReadInventoryAsync(Ct));
        var sriov = inventory.Functions.Single(f => f.Address == physical).Sriov!;
        Assert.Equal(2, sriov.VfCount);
        Assert.Equal(
            Enumerable.Range(0, 2).Select(n => physical.RoutingId + sriov.FirstVfOffset + (n * sriov.VfStride)),
            made.Select(f => (int)f.Address.RoutingId).Order());
        Assert.All(made, f => Assert.Equal((FunctionKind.Virtual, physical, sriov.VfDeviceId), (f.Function, f.PhysicalFunction, f.DeviceId)));
        Assert.Equal(made.Select(f => f.Address).Order(), (await VirtualFunctionsOf(fleet, fleet.Source)).Select(f => f.Address));
    });

    [Fact]
    public Task Another_count_replaces_the_functions_and_the_same_count_keeps_them() => OnFleet(async fleet =>
    {
        var physical = fleet.PhysicalFunction(fleet.Source);
        Ok(await fleet.Source.SetVirtualFunctionCountAsync(physical, 1, Ct));

        Assert.Equal(2, Ok(await fleet.Source.SetVirtualFunctionCountAsync(physical, 2, Ct)).Count);
        Assert.Equal(2, Ok(await fleet.Source.SetVirtualFunctionCountAsync(physical, 2, Ct)).Count);
        Assert.Empty(Ok(await fleet.Source.SetVirtualFunctionCountAsync(physical, 0, Ct)));
        Assert.Empty(await VirtualFunctionsOf(fleet, fleet.Source));
    });

    [Fact]
    public Task More_than_the_hardware_has_is_refused_and_changes_nothing() => OnFleet(async fleet =>
    {
        var physical = fleet.PhysicalFunction(fleet.Source);
        var before = (await VirtualFunctionsOf(fleet, fleet.Source)).Select(f => f.Address).ToArray();
        var total = Ok(await fleet.Source.ReadInventoryAsync(Ct)).Functions.Single(f => f.Address == physical).Sriov!.TotalVfs;

        Refused("vf-count-too-large", await fleet.Source.SetVirtualFunctionCountAsync(physical, total + 1, Ct));

        Assert.Equal(before, (await VirtualFunctionsOf(fleet, fleet.Source)).Select(f => f.Address));
    });

    [Fact]
    public Task Resizing_functions_in_use_is_refused_and_leaves_them_as_they_were() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        var before = await VirtualFunctionsOf(fleet, fleet.Source);

        Refused("vf-in-use", await fleet.Source.SetVirtualFunctionCountAsync(fleet.PhysicalFunction(fleet.Source), before.Count - 1, Ct));
        Refused("vf-in-use", await fleet.Source.SetVirtualFunctionCountAsync(fleet.PhysicalFunction(fleet.Source), 0, Ct));

        Assert.Equal(before.Select(f => (f.Address, f.Driver)), (await VirtualFunctionsOf(fleet, fleet.Source)).Select(f => (f.Address, f.Driver)));
        Assert.Equal(DomainState.Running, await StateOf(fleet.Source, definition.Ref.Vm));
    });

    [Fact]
    public Task A_function_that_cannot_make_others_says_so() => OnFleet(async fleet =>
    {
        var plain = Ok(await fleet.Source.ReadInventoryAsync(Ct)).Functions.First(f => f.Function == FunctionKind.Plain && f.Kind == PciKind.Endpoint);

        Refused("no-sriov", await fleet.Source.SetVirtualFunctionCountAsync(plain.Address, 1, Ct));
        Refused("pci-device-not-found", await fleet.Source.SetVirtualFunctionCountAsync(PciAddress.Parse("0000:ee:1f.7"), 1, Ct));
    });
}

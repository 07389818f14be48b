using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;
using ControlPlane.Hypervisor.Specification;

namespace ControlPlane.Hypervisor.Emulated.Tests.Pci;

/// <summary>Machines of device models: a guest takes a function of each.</summary>
public sealed class NewProfileTests : EmulatedTest
{
    private string machine = "x540";

    protected override ISpecificationFleet NewFleet() => new TestFleet(machine, Options, Time);

    [Theory]
    [InlineData("x540", 0x1515, "ixgbevf")]
    [InlineData("nvme-vf", 0xa824, "nvme")]
    [InlineData("nvme-vf", 0x101a, "mlx5_core")]
    public Task A_guest_takes_a_virtual_function_of_the_machine(string profile, int deviceId, string driver)
    {
        machine = profile;
        return OnTestFleet(async fleet =>
        {
            var function = Ok(await fleet.Source.ReadInventoryAsync(Ct)).Functions.First(f => f.Function == FunctionKind.Virtual && f.DeviceId == deviceId);
            var definition = await Launch(fleet, NewDefinition(fleet, devices: Device(function.Address)));

            Assert.Equal(driver, function.Driver);
            Assert.Equal(DomainState.Running, Ok(await fleet.Source.FindDomainAsync(definition.Ref.Vm, Ct))?.State);
            Assert.True(ModelOf(fleet.Source).Tree.Find(function.Address)!.HeldOpen);
            Assert.True(ModelOf(fleet.Source).Iommu.Write(function.Address, function.IommuGroup!.Value, 0x1000, [1]));
        });
    }
}

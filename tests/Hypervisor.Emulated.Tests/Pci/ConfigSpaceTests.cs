using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Pci;

/// <summary>Registers read and write as the hardware's do.</summary>
public sealed class ConfigSpaceTests
{
    private static readonly PciAddress Physical = PciAddress.Parse("0000:04:00.0");

    private readonly PciTree tree = new(new MachineBlueprint(Captures.Sriov));

    private EmulatedFunction Nic => tree.Find(Physical)!;

    [Theory]
    [InlineData("sriov")]
    [InlineData("switch")]
    [InlineData("numa")]
    public void An_untouched_function_reads_as_it_was_captured(string capture)
    {
        var captured = Captures.Named(capture).Hardware.ConfigurationSpaces;
        var fresh = new PciTree(new MachineBlueprint(Captures.Named(capture)));

        Assert.All(
            fresh.Functions.Where(f => f.PhysicalFunction is null && f.Sriov is null),
            f => Assert.Equal(captured[f.Address].ToArray(), f.Config.Dump()));
    }

    [Fact]
    public void Identity_cannot_be_written()
    {
        Nic.Config.Write(PciRegisters.VendorId, 4, 0);
        Nic.Config.Write(PciRegisters.HeaderType, 1, 1);

        Assert.Equal(0x10c9_8086u, Nic.Config.Read(PciRegisters.VendorId, 4));
        Assert.Equal(0u, Nic.Config.Read(PciRegisters.HeaderType, 1));
    }

    [Fact]
    public void A_virtual_function_reads_all_ones_for_its_ids()
    {
        Assert.Equal(uint.MaxValue, tree.SriovOf(Physical)!.Virtual[0].Config.Read(PciRegisters.VendorId, 4));
    }

    [Fact]
    public void Only_the_bits_of_the_command_register_that_exist_can_be_set()
    {
        Nic.Config.Write(PciRegisters.Command, 2, 0xffff);

        Assert.Equal(PciRegisters.CommandWritable, Nic.Config.Read16(PciRegisters.Command));
    }

    [Fact]
    public void A_base_address_keeps_its_type_and_one_that_is_not_there_stays_zero()
    {
        Nic.Config.Write(PciRegisters.Bar0, 4, uint.MaxValue);
        Nic.Config.Write(PciRegisters.Bar0 + 20, 4, uint.MaxValue);

        Assert.Equal(0xffff_f000u, Nic.Config.Read(PciRegisters.Bar0, 4));
        Assert.Equal(0u, Nic.Config.Read(PciRegisters.Bar0 + 20, 4));
    }

    [Fact]
    public void A_function_level_reset_takes_bus_mastering_and_interrupts_away()
    {
        var virtualFunction = tree.SriovOf(Physical)!.Virtual[0];
        virtualFunction.SetBusMaster(true);
        var msix = virtualFunction.Config.Capabilities.Msix + PciRegisters.MsixControl;
        virtualFunction.Config.Write(msix, 2, 0x8000);
        var control = virtualFunction.Config.Capabilities.Express + PciRegisters.ExpressDeviceControl;

        tree.WriteConfig(virtualFunction, control, 2, PciRegisters.ExpressInitiateFlr);

        Assert.Equal(1, virtualFunction.Resets);
        Assert.False(virtualFunction.CanMaster);
        Assert.Equal(0u, virtualFunction.Config.Read(msix, 2) & PciRegisters.MsixEnableAndMask);
        Assert.Equal(0u, virtualFunction.Config.Read(control, 2) & PciRegisters.ExpressInitiateFlr);
    }

    [Fact]
    public void A_reset_of_the_physical_function_takes_its_virtual_functions_away()
    {
        var control = Nic.Config.Capabilities.Express + PciRegisters.ExpressDeviceControl;

        tree.WriteConfig(Nic, control, 2, PciRegisters.ExpressInitiateFlr);

        Assert.Empty(tree.SriovOf(Physical)!.Virtual);
    }

    [Fact] // pci_reset_function saves and restores, so a driver finds its function as it left it.
    public void The_kernels_reset_restores_what_it_saved_but_the_mastering_of_the_bus()
    {
        Nic.SetBusMaster(true);
        Nic.Config.Write(PciRegisters.InterruptLine, 1, 0x2a);

        var (method, error) = FunctionReset.Run(tree, Nic, (_, _) => null);

        Assert.Equal((ResetMethod.Flr, null), (method, error));
        Assert.Equal(1, Nic.Resets);
        Assert.Equal(0x2au, Nic.Config.Read(PciRegisters.InterruptLine, 1));
        Assert.False(Nic.CanMaster);
        Assert.Equal(4, tree.SriovOf(Physical)!.Virtual.Count);
    }

    [Theory]
    [InlineData(ResetMethod.Flr, ResetMethod.Pm)]
    [InlineData(ResetMethod.Pm, ResetMethod.Bus)]
    public void When_a_method_fails_the_next_one_is_tried(ResetMethod failing, ResetMethod next)
    {
        var (method, _) = FunctionReset.Run(tree, Nic, (_, m) => m <= failing ? "it does not answer" : null);

        Assert.Equal(next, method);
        Assert.Equal(1, Nic.Resets);
    }

    [Fact]
    public void When_every_method_fails_the_last_error_is_told()
    {
        var (method, error) = FunctionReset.Run(tree, Nic, (_, m) => $"no {m}");

        Assert.Null(method);
        Assert.Equal("no Bus", error);
        Assert.Equal(0, Nic.Resets);
    }

    [Fact]
    public void A_function_without_a_method_is_not_reset()
    {
        var conventional = tree.Find(PciAddress.Parse("0000:07:02.0"))!;

        Assert.Equal((null, null), FunctionReset.Run(tree, conventional, (_, _) => null));
    }
}

using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Nics;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;
using ControlPlane.Inventory.Configuration;
using ControlPlane.Inventory.DeviceModels;
using ControlPlane.Inventory.Profiles;

namespace ControlPlane.Hypervisor.Emulated.Tests.Pci;

/// <summary>What a device's hardware has, whatever is asked of it: real models by their own limits.</summary>
public sealed class DeviceModelTests : EmulatedTest
{
    public static TheoryData<string> WithVirtualFunctions => new(DeviceModelCatalog.Shipped.Models.Where(m => m.Sriov is not null).Select(m => m.Name));

    [Theory]
    [InlineData("82576", 8, 2)]
    [InlineData("i350", 8, 1)]
    [InlineData("82599", 63, 2)]
    [InlineData("x540", 63, 2)]
    [InlineData("connectx-5", 64, 63)]
    [InlineData("pm1733", 32, 8)]
    public void A_model_has_its_functions_and_queues(string name, int functions, int queuePairs)
    {
        var physical = PhysicalOf(TreeWith(name));

        Assert.Equal(
            (functions, queuePairs),
            (physical.Tree.SriovOf(physical.Function.Address)!.TotalVfs, physical.Tree.LimitsOf(physical.Function).QueuePairs));
    }

    [Theory]
    [MemberData(nameof(WithVirtualFunctions))]
    public void More_virtual_functions_than_the_model_has_are_refused_and_as_many_are_made(string name)
    {
        var model = DeviceModelCatalog.Shipped.Find(name)!;
        var most = Math.Min(model.Sriov!.Total, model.Limits.VirtualFunctions);
        var (tree, function) = PhysicalOf(TreeWith(name));
        var sriov = tree.SriovOf(function.Address)!;

        var refused = sriov.StoreNumVfs(most + 1, _ => false).Fault;

        Assert.Equal("vf-count-too-large", refused?.Code);
        Assert.Contains($"{most} virtual functions", refused!.Detail, StringComparison.Ordinal);
        Assert.Empty(sriov.Virtual);
        Assert.True(sriov.StoreNumVfs(most, _ => false).Succeeded);
        Assert.Equal(most, sriov.Virtual.Count);
        Assert.All(sriov.Virtual, f => Assert.Equal((model.Sriov.DeviceId, model.Sriov.Driver), (f.Described.DeviceId, f.Driver)));
        Assert.All(sriov.Virtual, f => Assert.Equal(model.Sriov.Msix!.Vectors, ConfigurationSpace.Decode(f.Config.Dump()).Msix!.Vectors));
    }

    [Fact] // A capture has no models; its 82576 is known by its ids, and so are the limits of its hardware.
    public void Functions_of_a_captured_machine_have_the_limits_of_their_model()
    {
        var tree = new PciTree(new MachineBlueprint(Captures.Sriov));
        var function = tree.Find(PciAddress.Parse("0000:04:00.0"))!;

        Assert.Same(DeviceModelCatalog.Shipped.Find("82576")!.Limits, tree.LimitsOf(function));
    }

    [Theory]
    [InlineData("82576")]
    [InlineData("x540")]
    [InlineData("a100-pcie-80gb")]
    public void A_driver_that_writes_all_ones_to_a_base_address_register_reads_its_size_back(string name)
    {
        var (model, (_, function)) = (DeviceModelCatalog.Shipped.Find(name)!, PhysicalOf(TreeWith(name)));
        foreach (var bar in model.Bars)
        {
            var (at, address) = (PciRegisters.Bar0 + (bar.Index * 4), function.Config.Read(PciRegisters.Bar0 + (bar.Index * 4), 4));
            function.Config.Write(at, 4, uint.MaxValue);
            var mask = (ulong)function.Config.Read(at, 4) & (bar.IsIo ? ~3UL : ~0xfUL);
            if (bar.Is64Bit)
            {
                function.Config.Write(at + 4, 4, uint.MaxValue);
                mask |= (ulong)function.Config.Read(at + 4, 4) << 32;
            }
            else
            {
                mask |= 0xffff_ffff_0000_0000;
            }

            Assert.Equal((ulong)bar.Bytes, ~mask + 1);
            Assert.Equal(address & 0xf, function.Config.Read(at, 4) & 0xf);
        }
    }

    [Fact] // 82576: two queue pairs for each function.
    public Task A_driver_that_asks_for_more_queues_gets_what_the_function_has() => OnTestFleet(async fleet =>
    {
        var device = Device(await FirstVirtualFunction(fleet, fleet.Source));
        var definition = await Launch(fleet, Labelled(NewDefinition(fleet, devices: device), (GuestLabels.Queues, "4")));
        await Pass(fleet, 10);
        Ok(await fleet.Source.PingAsync(Ct));

        var domain = DomainOf(fleet.Source, definition);
        var nic = Assert.IsType<FunctionNic>(ModelOf(fleet.Source).HoldNetwork(domain, this).Carrier?.Nic);

        Assert.Equal(2, nic.QueuePairs);
        Assert.Equal(2, Assert.Single(domain.Nics.All)[NicCount.RefusedQueues]);
    });

    private static PciTree TreeWith(string model)
    {
        var read = ProfileReader.Read(ModelHosts.Yaml(model));
        Assert.True(read.Succeeded, read.Fault?.ToString());
        return new PciTree(new MachineBlueprint(read.Value));
    }

    private static (PciTree Tree, EmulatedFunction Function) PhysicalOf(PciTree tree) => (tree, tree.Functions.Single(f => !f.IsBridge));
}

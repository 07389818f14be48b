using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Pci;

/// <summary>Linux's rules of who drives a function: Documentation/ABI/testing/sysfs-bus-pci.</summary>
public sealed class DriverCoreTests
{
    private static readonly PciAddress Physical = PciAddress.Parse("0000:04:00.0");

    private bool autoprobe = true;

    private PciTree Tree(string hidden = "") =>
        new(new MachineBlueprint(Captures.Sriov), BootSettings.AsDescribed with { Hidden = new HiddenFunctions(hidden) }, _ => autoprobe);

    private static EmulatedFunction First(PciTree tree) => tree.SriovOf(Physical)!.Virtual[0];

    [Fact]
    public void After_an_override_no_driver_of_the_host_binds_whoever_probes()
    {
        var tree = Tree();
        var (function, core) = (First(tree), tree.Drivers);
        var host = function.HostDriver;
        Assert.Equal((host, 1), (function.Driver, function.HostBinds));

        core.Override(function, EmulatedFunction.VfioDriver);
        Assert.Equal(host, function.Driver); // An override by itself unbinds nothing.
        core.Unbind(function);
        core.Probe(function);

        Assert.Equal((EmulatedFunction.VfioDriver, 1), (function.Driver, function.HostBinds));
    }

    [Fact]
    public void Unbound_without_an_override_the_function_is_the_hosts_again_at_the_next_probe()
    {
        var tree = Tree();
        var (function, core) = (First(tree), tree.Drivers);

        core.Unbind(function);
        Assert.False(function.CanMaster);
        core.Probe(function); // A neighbour is plugged in: the bus is probed as a whole.
        core.Override(function, EmulatedFunction.VfioDriver);
        core.Probe(function);

        Assert.Equal((function.HostDriver, 2), (function.Driver, function.HostBinds));
        Assert.True(function.CanMaster); // The host's driver has it write to the host's rings.
    }

    [Theory]
    [InlineData("", null, "igbvf")]
    [InlineData("", "vfio-pci", "vfio-pci")]
    [InlineData("", "igbvf", "igbvf")]
    [InlineData("", "nothing-such", null)]
    [InlineData("8086:10ca", null, "vfio-pci")]
    [InlineData("8086:10CA,0000:07:01.0", null, "vfio-pci")]
    [InlineData("0000:04:10.0", null, "vfio-pci")]
    [InlineData("0000:04:10.0 8086:ffff", "igbvf", "igbvf")]
    [InlineData("10ca", null, "igbvf")]
    [InlineData("8086", null, "igbvf")]
    [InlineData("8086:010ca", null, "igbvf")]
    public void An_override_comes_before_what_is_hidden_and_that_before_the_ids(string hidden, string? driverOverride, string? expected)
    {
        var tree = Tree(hidden);
        var function = tree.Find(PciAddress.Parse("0000:04:10.0"))!;

        tree.Drivers.Override(function, driverOverride);
        tree.Drivers.Unbind(function);
        tree.Drivers.Probe(function);

        Assert.Equal(expected, function.Driver);
    }

    [Fact]
    public void A_function_that_appears_again_has_lost_its_override_and_the_host_has_it_first()
    {
        var tree = Tree();
        tree.Drivers.Assign(First(tree));
        Assert.Equal(EmulatedFunction.VfioDriver, First(tree).Driver);

        Again(tree);

        Assert.Equal((First(tree).HostDriver, 1, null), (First(tree).Driver, First(tree).HostBinds, First(tree).DriverOverride));
    }

    [Fact]
    public void What_is_hidden_nothing_of_the_host_touches_however_often_it_appears()
    {
        var tree = Tree("8086:10ca");
        var binds = tree.Drivers.HostBinds;
        for (var i = 0; i < 3; i++)
        {
            Again(tree);
            tree.Drivers.Assign(First(tree));
            tree.Drivers.Return(First(tree));
            Assert.Equal((EmulatedFunction.VfioDriver, 0, false), (First(tree).Driver, First(tree).HostBinds, First(tree).CanMaster));
        }
        Assert.Equal(binds, tree.Drivers.HostBinds);
        Assert.True(tree.Drivers.Binds > binds);
    }

    [Fact]
    public void Without_autoprobe_new_functions_have_no_driver_but_that_of_an_override()
    {
        var tree = Tree();
        autoprobe = false;
        Again(tree);
        Assert.Null(First(tree).Driver);
        tree.Drivers.Probe(First(tree));
        Assert.Null(First(tree).Driver);
        Assert.Null(tree.Drivers.WantedFor(First(tree)));

        tree.Drivers.Assign(First(tree));
        Assert.Equal(EmulatedFunction.VfioDriver, First(tree).Driver);
        tree.Drivers.Return(First(tree));

        Assert.Equal((null, 0), (First(tree).Driver, First(tree).HostBinds));
    }

    [Fact]
    public void A_hidden_physical_function_makes_no_virtual_ones()
    {
        var tree = Tree($"{Physical}");

        Assert.Equal(EmulatedFunction.VfioDriver, tree.Find(Physical)!.Driver);
        Assert.Empty(tree.SriovOf(Physical)!.Virtual);
    }

    [Fact]
    public void Every_step_is_counted()
    {
        var tree = Tree();
        var (core, function) = (tree.Drivers, First(tree));
        var before = (core.Probes, core.Binds, core.HostBinds, core.Unbinds, core.Overrides);
        Assert.Equal((tree.Functions.Count(), tree.Functions.Count(f => f.Driver is not null), 0, 0), (before.Probes, before.Binds, before.Unbinds, before.Overrides));

        core.Assign(function);
        core.Assign(function); // Nothing is left to do.
        core.Return(function);

        Assert.Equal(
            (before.Probes + 2, before.Binds + 2, before.HostBinds + 1, 2L, 2L), (core.Probes, core.Binds, core.HostBinds, core.Unbinds, core.Overrides));
    }

    private static void Again(PciTree tree)
    {
        var sriov = tree.SriovOf(Physical)!;
        var count = sriov.Virtual.Count;
        Assert.Null(sriov.StoreNumVfs(0, _ => false).Fault);
        Assert.Null(sriov.StoreNumVfs(count, _ => false).Fault);
    }
}

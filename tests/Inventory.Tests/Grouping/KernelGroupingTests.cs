using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;

namespace ControlPlane.Inventory.Tests.Grouping;

/// <summary>Each rule of drivers/iommu/iommu.c and drivers/pci/quirks.c on the smallest machine that shows it.</summary>
public sealed class KernelGroupingTests
{
    private const AcsFlags All = AcsFlags.Isolation;

    [Fact]
    public void A_device_below_a_root_port_without_acs_shares_the_ports_group()
    {
        var machine = new Machine().Port("00:01.0", ExpressPortType.RootPort, 1, 1, acs: false).Endpoint("01:00.0");

        Assert.Equal(["0000:00:01.0 0000:01:00.0"], machine.Groups());
    }

    [Fact]
    public void Functions_of_one_device_without_acs_share_a_group_and_so_do_root_ports_and_all_below_them()
    {
        var machine = new Machine()
            .Port("00:1c.0", ExpressPortType.RootPort, 1, 1, acs: false, multifunction: true).Endpoint("01:00.0")
            .Port("00:1c.4", ExpressPortType.RootPort, 2, 2, acs: false, multifunction: true).Endpoint("02:00.0");

        Assert.Equal(["0000:00:1c.0 0000:00:1c.4 0000:01:00.0 0000:02:00.0"], machine.Groups());
    }

    [Fact]
    public void A_function_without_acs_does_not_join_a_sibling_that_has_it()
    {
        var machine = new Machine()
            .Port("00:01.0", ExpressPortType.RootPort, 1, 1, multifunction: true)
            .Port("00:01.1", ExpressPortType.RootPort, 2, 2, acs: false, multifunction: true)
            .Conventional("00:01.2", multifunction: true);

        Assert.Equal(["0000:00:01.0", "0000:00:01.1 0000:00:01.2"], machine.Groups());
    }

    [Fact]
    public void Acs_that_is_there_but_off_isolates_nothing()
    {
        var machine = new Machine()
            .Add("00:01.0", new ConfigurationSpaceBuilder(0x8086, 0x3408, 0x060400, header: HeaderType.Bridge).Buses(new BridgeBuses(0, 1, 1))
                .Express(new ExpressCapability(0, 2, ExpressPortType.RootPort, true, false, null, false, false, 0, false, false)).Acs(All, AcsFlags.None))
            .Endpoint("01:00.0");

        Assert.Equal(["0000:00:01.0 0000:01:00.0"], machine.Groups());
        Assert.Contains(machine.Read().Warnings, w => w.Message.Contains("IOMMU off", StringComparison.Ordinal));
    }

    [Fact]
    public void Controls_that_a_port_does_not_implement_are_not_asked_of_it()
    {
        const AcsFlags some = AcsFlags.SourceValidation | AcsFlags.RequestRedirect;
        var machine = new Machine()
            .Add("00:01.0", new ConfigurationSpaceBuilder(0x8086, 0x3408, 0x060400, header: HeaderType.Bridge).Buses(new BridgeBuses(0, 1, 1))
                .Express(new ExpressCapability(0, 2, ExpressPortType.RootPort, true, false, null, false, false, 0, false, false)).Acs(some, some))
            .Endpoint("01:00.0");

        Assert.Equal(["0000:00:01.0", "0000:01:00.0"], machine.Groups());
    }

    [Fact]
    public void A_switch_whose_downstream_ports_have_acs_gives_each_device_its_own_group_and_one_without_does_not()
    {
        foreach (var acs in new[] { true, false })
        {
            var machine = new Machine()
                .Port("00:01.0", ExpressPortType.RootPort, 1, 4)
                .Port("01:00.0", ExpressPortType.UpstreamPort, 2, 4)
                .Port("02:00.0", ExpressPortType.DownstreamPort, 3, 3, acs).Endpoint("03:00.0")
                .Port("02:01.0", ExpressPortType.DownstreamPort, 4, 4, acs).Endpoint("04:00.0");

            Assert.Equal(
                acs ? ["0000:00:01.0", "0000:01:00.0", "0000:02:00.0", "0000:02:01.0", "0000:03:00.0", "0000:04:00.0"]
                    : ["0000:00:01.0", "0000:01:00.0", "0000:02:00.0 0000:03:00.0", "0000:02:01.0 0000:04:00.0"],
                machine.Groups());
        }
    }

    [Fact]
    public void A_multifunction_upstream_port_without_acs_opens_the_whole_switch()
    {
        var machine = new Machine()
            .Port("00:01.0", ExpressPortType.RootPort, 1, 3)
            .Port("01:00.0", ExpressPortType.UpstreamPort, 2, 3, multifunction: true)
            .Endpoint("01:00.1", multifunction: true)
            .Port("02:00.0", ExpressPortType.DownstreamPort, 3, 3).Endpoint("03:00.0");

        // 02:00.0 sits below the upstream port, which is not isolated from its sibling.
        Assert.Equal(["0000:00:01.0", "0000:01:00.0 0000:01:00.1 0000:02:00.0 0000:03:00.0"], machine.Groups());
    }

    [Fact]
    public void Everything_behind_a_bridge_to_conventional_pci_is_in_its_group()
    {
        var machine = new Machine()
            .Port("00:01.0", ExpressPortType.RootPort, 1, 3)
            .Port("01:00.0", ExpressPortType.PcieToPciBridge, 2, 3)
            .Conventional("02:01.0").Conventional("02:02.0")
            .ConventionalBridge("02:03.0", 3, 3).Conventional("03:00.0");

        Assert.Equal(["0000:00:01.0", "0000:01:00.0 0000:02:01.0 0000:02:02.0 0000:02:03.0 0000:03:00.0"], machine.Groups());
        Assert.Equal(PciKind.PcieToPciBridge, machine.Read().At("0000:01:00.0").Kind);
    }

    [Fact]
    public void On_a_machine_with_conventional_bridges_only_each_bridge_groups_what_is_behind_it_and_root_devices_stand_alone()
    {
        var machine = new Machine()
            .Conventional("00:00.0", classCode: 0x060000)
            .Conventional("00:02.0")
            .ConventionalBridge("00:1e.0", 1, 2, device: 0x244e)
            .Conventional("01:01.0").ConventionalBridge("01:02.0", 2, 2).Conventional("02:05.0")
            .Conventional("00:1f.0", multifunction: true).Conventional("00:1f.1");

        Assert.Equal(
            ["0000:00:00.0", "0000:00:02.0", "0000:00:1e.0 0000:01:01.0 0000:01:02.0 0000:02:05.0", "0000:00:1f.0 0000:00:1f.1"], machine.Groups());
    }

    [Fact]
    public void Functions_of_an_endpoint_are_apart_when_acs_or_their_vendor_says_so()
    {
        var port = () => new Machine().Port("00:01.0", ExpressPortType.RootPort, 1, 1);

        Assert.Equal(["0000:00:01.0", "0000:01:00.0 0000:01:00.1"], port().Endpoint("01:00.0", multifunction: true).Endpoint("01:00.1").Groups());
        Assert.Equal(
            ["0000:00:01.0", "0000:01:00.0", "0000:01:00.1"],
            port().Endpoint("01:00.0", multifunction: true, acs: AcsFlags.None).Endpoint("01:00.1", acs: AcsFlags.None).Groups());
        Assert.Equal(
            ["0000:00:01.0", "0000:01:00.0", "0000:01:00.1"],
            port().Endpoint("01:00.0", 0x8086, 0x10c9, multifunction: true).Endpoint("01:00.1", 0x8086, 0x10c9).Groups());
    }

    [Fact]
    public void Integrated_endpoints_are_apart_on_intel_and_together_elsewhere()
    {
        foreach (var (vendor, together) in new[] { ((ushort)0x8086, false), ((ushort)0x1022, true) })
        {
            var machine = new Machine()
                .Endpoint("6a:01.0", vendor, 0x0b25, multifunction: true, type: ExpressPortType.RootComplexEndpoint)
                .Endpoint("6a:01.1", vendor, 0x0b25, multifunction: true, type: ExpressPortType.RootComplexEndpoint);

            Assert.Equal(together ? ["0000:6a:01.0 0000:6a:01.1"] : ["0000:6a:01.0", "0000:6a:01.1"], machine.Groups());
        }
    }

    [Fact]
    public void Root_ports_of_an_old_intel_pch_isolate_without_the_capability_where_its_lpc_bridge_shows_the_registers()
    {
        foreach (var shown in new[] { true, false })
        {
            var lpc = new ConfigurationSpaceBuilder(0x8086, 0x8c54, 0x060100).Build();
            lpc[0xf0] = (byte)(shown ? 1 : 0);
            var machine = new Machine()
                .Port("00:1c.0", ExpressPortType.RootPort, 1, 1, acs: false, multifunction: true, vendor: 0x8086, device: 0x8c10).Endpoint("01:00.0")
                .Port("00:1c.1", ExpressPortType.RootPort, 2, 2, acs: false, multifunction: true, vendor: 0x8086, device: 0x8c12).Endpoint("02:00.0")
                .Add("00:1f.0", lpc);

            Assert.Equal(
                shown ? ["0000:00:1c.0", "0000:00:1c.1", "0000:00:1f.0", "0000:01:00.0", "0000:02:00.0"]
                    : ["0000:00:1c.0 0000:00:1c.1 0000:01:00.0 0000:02:00.0", "0000:00:1f.0"],
                machine.Groups());
        }
    }

    [Fact]
    public void Sunrise_point_root_ports_have_their_acs_control_two_bytes_further_on()
    {
        var port = new ConfigurationSpaceBuilder(0x8086, 0xa110, 0x060400, header: HeaderType.Bridge).Buses(new BridgeBuses(0, 1, 1))
            .Express(new ExpressCapability(0, 2, ExpressPortType.RootPort, true, false, null, false, false, 0, false, false)).Acs(All, AcsFlags.None).Build();
        var acs = ConfigurationSpace.Decode(port).Acs!.Offset;
        port[acs + 8] = (byte)All;

        Assert.Equal(["0000:00:1c.0", "0000:01:00.0"], new Machine().Add("00:1c.0", port).Endpoint("01:00.0").Groups());
    }

    [Fact]
    public void Southbridge_functions_of_amd_are_apart_where_there_is_an_amd_iommu()
    {
        var machine = new Machine().Conventional("00:14.0", 0x1002, 0x4385, multifunction: true).Conventional("00:14.3", 0x1002, 0x439d, multifunction: true);

        Assert.Equal(["0000:00:14.0 0000:00:14.3"], machine.Groups("Vendor ID: GenuineIntel\nCPU(s): 2\n"));
        Assert.Equal(["0000:00:14.0", "0000:00:14.3"], machine.Groups("Vendor ID: AuthenticAMD\nCPU(s): 2\n"));
    }

    [Theory]
    [InlineData(0x1022)]
    [InlineData(0x1d94)]
    public void An_amd_iommu_and_the_root_complex_beside_it_have_no_group(int amd)
    {
        var vendor = (ushort)amd;
        var machine = new Machine()
            .Conventional("00:00.0", vendor, 0x1480, multifunction: true, classCode: 0x060000)
            .Conventional("00:00.2", vendor, 0x1481, multifunction: true, classCode: 0x080600)
            .Conventional("00:01.0", vendor, 0x1482, multifunction: true, classCode: 0x060000)
            .Port("00:01.1", ExpressPortType.RootPort, 1, 1, multifunction: true, vendor: vendor, device: 0x1483).Endpoint("01:00.0");

        Assert.Equal(["0000:00:01.0", "0000:00:01.1", "0000:01:00.0"], machine.Groups());
        Assert.Null(machine.Read().At("0000:00:00.2").IommuGroup);
    }

    [Fact]
    public void An_emulated_amd_iommu_in_a_device_of_its_own_leaves_the_host_bridge_its_group()
    {
        var machine = new Machine().Conventional("00:00.0", 0x8086, 0x29c0, classCode: 0x060000).Conventional("00:02.0", 0x1022, 0x1419, classCode: 0x080600);

        Assert.Equal(["0000:00:00.0"], machine.Groups());
    }

    [Fact]
    public void A_device_that_does_dma_as_its_function_1_shares_its_group()
    {
        var machine = new Machine().Port("00:01.0", ExpressPortType.RootPort, 1, 1)
            .Endpoint("01:00.0", 0x1b4b, 0x9123, multifunction: true, acs: AcsFlags.None).Endpoint("01:00.1", 0x1b4b, 0x91a4, acs: AcsFlags.None);

        Assert.Equal(["0000:00:01.0", "0000:01:00.0 0000:01:00.1"], machine.Groups());
    }

    [Fact]
    public void A_bus_full_of_bridges_that_alias_each_other_is_one_group()
    {
        // The worst case of the search for aliases: everyone aliases everyone, and the first of 256 finds no group.
        var machine = new Machine();
        for (var place = 0; place < 256; place++)
            machine.Conventional(PciAddress.FromRoutingId(0, (ushort)place).ToString(), 0x10b5, 0x87b0, multifunction: true);

        Assert.Single(machine.Groups());
    }

    [Fact]
    public void Functions_of_a_domain_that_intel_vmd_made_share_its_group()
    {
        var machine = new Machine()
            .Endpoint("0000:5d:05.5", 0x8086, 0x201d, type: ExpressPortType.RootComplexEndpoint, classCode: 0x010400)
            .Port("10000:00:02.0", ExpressPortType.RootPort, 1, 1, vendor: 0x8086, device: 0x2032)
            .Endpoint("10000:01:00.0", 0x8086, 0x0a54, classCode: 0x010802);

        Assert.Equal(["0000:5d:05.5 10000:00:02.0 10000:01:00.0"], machine.Groups());
        Assert.Equal(PciAddress.Parse("10000:00:02.0"), machine.Read().At("10000:01:00.0").Parent);
    }

    [Fact]
    public void Virtual_functions_are_alone_though_their_maker_shares_its_group_with_its_sibling()
    {
        var machine = WithVirtualFunctions(acs: true);

        Assert.Equal(
            ["0000:00:01.0", "0000:01:00.0 0000:01:00.1", "0000:01:10.0", "0000:01:10.2", "0000:02:00.1"], machine.Groups());
    }

    [Fact]
    public void Without_acs_on_the_way_virtual_functions_share_the_ports_group()
    {
        var machine = WithVirtualFunctions(acs: false);

        Assert.Equal(["0000:00:01.0 0000:01:00.0 0000:01:00.1 0000:01:10.0 0000:01:10.2 0000:02:00.1"], machine.Groups());
    }

    [Fact]
    public void Two_devices_on_two_root_buses_meet_nowhere()
    {
        var machine = new Machine()
            .Port("00:01.0", ExpressPortType.RootPort, 1, 1).Endpoint("01:00.0")
            .Port("80:01.0", ExpressPortType.RootPort, 0x81, 0x81).Endpoint("81:00.0")
            .Port("0001:00:01.0", ExpressPortType.RootPort, 1, 1).Endpoint("0001:01:00.0");

        Assert.Equal(
            ["0000:00:01.0", "0000:01:00.0", "0000:80:01.0", "0000:81:00.0", "0001:00:01.0", "0001:01:00.0"], machine.Groups());
    }

    /// <summary>A device of two functions; the first makes two virtual functions on its bus, the second one on the next bus.</summary>
    private static Machine WithVirtualFunctions(bool acs)
    {
        var first = Physical(new SriovRegisters(0, true, true, false, 2, 2, 2, 0, 0x80, 2, 0x10ca, 0x553, 1, new uint[6]));
        var second = Physical(new SriovRegisters(0, true, true, false, 1, 1, 1, 0, 0x100, 1, 0x10ca, 0x553, 1, new uint[6]));
        return new Machine()
            .Port("00:01.0", ExpressPortType.RootPort, 1, 2, acs)
            .Add("01:00.0", first).Add("01:00.1", second)
            .Add("01:10.0", VirtualFunctionSpace.Build(ConfigurationSpace.Decode(first), 3))
            .Add("01:10.2", VirtualFunctionSpace.Build(ConfigurationSpace.Decode(first), 3))
            .Add("02:00.1", VirtualFunctionSpace.Build(ConfigurationSpace.Decode(second), 3));

        static byte[] Physical(SriovRegisters sriov) => new ConfigurationSpaceBuilder(0x15b3, 0x1003, 0x020000, multifunction: true)
            .Express(new ExpressCapability(0, 2, ExpressPortType.Endpoint, false, true, null, false, false, 0, false, false)).Sriov(sriov).Build();
    }
}

using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Libvirt.DomainXml;

namespace ControlPlane.Libvirt.Tests.DomainXml;

public sealed class DomainXmlReaderTests
{
    [Fact]
    public void What_was_written_is_read_back()
    {
        var definition = Definitions.Failover() with
        {
            Interfaces = [Definitions.Nic("net0", 1, standby: true) with { LinkUp = false, Mtu = 9000 }, Definitions.Nic("mgmt", 3) with { Vlan = 12 }],
        };

        var picture = DomainXmlReader.Read(DomainXmlWriter.Write(Definitions.Plan(definition)));

        Assert.Equal(definition.Ref.Vm.Value, picture.Uuid);
        Assert.Equal(definition.Interfaces, picture.Interfaces);
        var device = definition.Devices[0];
        Assert.Equal([new FunctionInDomain(device.Name, device.Claim.Address, device.GuestAddress, device.Settings.Mac)], picture.Functions);
        Assert.True(picture.IsTaken(device.GuestAddress));
        Assert.False(picture.IsTaken(new PciAddress(0, 9, 0, 0)));
    }

    [Theory]
    [InlineData("prod-vlan12", null, "prod", 12)]
    [InlineData("prod", 12, "prod", 12)]
    [InlineData("prod", null, "prod", null)]
    [InlineData("prod-vlanx", null, "prod-vlanx", null)]
    public void A_network_of_one_VLAN_is_that_network_and_VLAN(string name, int? tag, string network, int? vlan) =>
        Assert.Equal((network, vlan), DomainXmlReader.Network(name, tag));

    [Fact]
    public void A_real_domain_of_somebody_else_has_no_mark_and_shows_what_it_holds()
    {
        var picture = DomainXmlReader.Read(Captured.Text("l2-teaming-live.xml"));

        Assert.Null(picture.Mark);
        Assert.Empty(picture.Interfaces);
        Assert.Equal(
            [new FunctionInDomain(null, PciAddress.Parse("0000:04:10.4"), PciAddress.Parse("0000:02:00.0"), MacAddress.Parse("52:54:00:aa:00:60"))], picture.Functions);
    }

    [Fact]
    public void A_function_that_serves_no_interface_is_seen_too()
    {
        var picture = DomainXmlReader.Read(Captured.Text("l2-live-hv1-with-nvme-vf.xml"));

        Assert.Contains(picture.Functions, f => f.Address == PciAddress.Parse("0000:05:00.1") && f.Mac is null && f.GuestAddress is not null);
    }
}

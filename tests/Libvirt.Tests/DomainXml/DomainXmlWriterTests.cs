using System.Xml.Linq;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor.Libvirt.DomainXml;

namespace ControlPlane.Libvirt.Tests.DomainXml;

public sealed class DomainXmlWriterTests
{
    private static XElement Write(Hypervisor.DomainDefinition definition, bool teaming = true) => DomainXmlWriter.Write(Definitions.Plan(definition, teaming));

    private static IEnumerable<XElement> Devices(XElement domain, string kind) => domain.Element("devices")!.Elements(kind);

    [Fact]
    public void A_domain_bears_the_VMs_id_and_epoch_in_our_namespace()
    {
        var mark = DomainMark.OfDomain(Write(Definitions.Plain()));

        Assert.Equal(Definitions.Plain().Ref, mark?.Ref);
        Assert.Equal("web-1", mark?.Name);
    }

    [Fact]
    public void Two_VMs_of_one_name_are_two_domains_of_two_names()
    {
        var other = Definitions.Plain() with { Ref = Definitions.Plain().Ref with { Vm = new(new Guid("0197c5a0-0000-7000-8000-000000000002")) } };

        Assert.NotEqual((string?)Write(Definitions.Plain()).Element("name"), (string?)Write(other).Element("name"));
        Assert.Equal((string?)Write(Definitions.Plain()).Element("title"), (string?)Write(other).Element("title"));
    }

    [Fact]
    public void Every_bus_that_a_guest_address_names_has_a_root_port_and_some_are_free()
    {
        var definition = Definitions.Plain() with { Interfaces = [Definitions.Nic("net0", 23)] };

        var ports = Devices(Write(definition), "controller").Where(c => (string?)c.Attribute("model") == "pcie-root-port").Select(c => (int)c.Attribute("index")!).ToList();

        Assert.Equal(Enumerable.Range(1, ports.Count), ports);
        Assert.True(ports.Count > 23, $"{ports.Count} ports");
    }

    [Fact]
    public void No_two_devices_have_one_guest_address()
    {
        var definition = Definitions.Failover() with { Disks = [.. Enumerable.Range(0, VmSpec.MaxDisks).Select(n => new DiskSpec($"d{n}", 1))] };

        var addresses = Write(definition).Element("devices")!.Elements().Select(d => PciAddressXml.Read(d.Element("address"))).OfType<PciAddress>().ToList();

        Assert.Equal(addresses.Count, addresses.Distinct().Count());
    }

    [Fact]
    public void More_ports_move_none_that_are_there()
    {
        var few = Write(Definitions.Plain());
        var many = Write(Definitions.Plain() with { Interfaces = [Definitions.Nic("net0", GuestSlots.PortsMax)] });

        var where = Ports(many);
        Assert.Equal(GuestSlots.PortsMax, where.Count);
        Assert.All(Ports(few), port => Assert.Equal(port.Value, where[port.Key]));

        static Dictionary<int, PciAddress?> Ports(XElement domain) => Devices(domain, "controller")
            .Where(c => (string?)c.Attribute("model") == "pcie-root-port").ToDictionary(c => (int)c.Attribute("index")!, c => PciAddressXml.Read(c.Element("address")));
    }

    [Fact]
    public void A_failover_pair_is_a_persistent_virtio_interface_and_a_transient_function_of_one_MAC()
    {
        var nics = Devices(Write(Definitions.Failover()), "interface").ToList();

        var (standby, function) = (nics.Single(n => (string?)n.Attribute("type") == "network"), nics.Single(n => (string?)n.Attribute("type") == "hostdev"));
        Assert.Equal("persistent", (string?)standby.Element("teaming")?.Attribute("type"));
        Assert.Equal(("transient", (string?)standby.Element("alias")?.Attribute("name")),
            ((string?)function.Element("teaming")?.Attribute("type"), (string?)function.Element("teaming")?.Attribute("persistent")));
        Assert.Equal((string?)standby.Element("mac")?.Attribute("address"), (string?)function.Element("mac")?.Attribute("address"));
        Assert.Equal("101", (string?)function.Element("vlan")?.Element("tag")?.Attribute("id"));
    }

    [Fact]
    public void A_guest_without_net_failover_gets_its_pair_unteamed() =>
        Assert.Empty(Write(Definitions.Failover(), teaming: false).Descendants("teaming"));

    [Theory]
    [InlineData(true, "interface")]
    [InlineData(false, "hostdev")]
    public void libvirt_never_binds_or_gives_back_a_function_by_itself(bool servesInterface, string kind)
    {
        var definition = Definitions.Plain() with { Devices = [Definitions.Function("gpu", 4, servesInterface ? Definitions.Mac : null)] };

        Assert.Equal("no", (string?)Assert.Single(Devices(Write(definition), kind)).Attribute("managed"));
    }

    [Theory]
    [InlineData(HugepageSize.Size2MiB, "2")]
    [InlineData(HugepageSize.Size1GiB, "1024")]
    public void Huge_pages_are_asked_for_by_their_size(HugepageSize size, string mebibytes)
    {
        var page = Write(Definitions.Plain() with { Hugepages = size }).Element("memoryBacking")?.Element("hugepages")?.Element("page");

        Assert.Equal((mebibytes, "MiB"), ((string?)page?.Attribute("size"), (string?)page?.Attribute("unit")));
        Assert.Null(Write(Definitions.Plain()).Element("memoryBacking"));
    }

    [Fact]
    public void Disks_are_named_as_Linux_counts()
    {
        Assert.Equal(["vda", "vdz", "vdaa", "vdaz", "vdba"], new[] { 0, 25, 26, 51, 52 }.Select(DeviceXml.TargetName));
    }
}

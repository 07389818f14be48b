using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;
using FsCheck;
using FsCheck.Fluent;

namespace ControlPlane.Domain.Tests;

public sealed class ValueTests
{
    [Fact]
    public void Every_mac_address_reads_back_as_it_was_written()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<ulong>(), value =>
        {
            var mac = new MacAddress(value & 0xFFFF_FFFF_FFFF);
            Assert.Equal(mac, MacAddress.Parse(mac.ToString()));
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("")]
    [InlineData("52:54:00:12:34")]
    [InlineData("52:54:00:12:34:5g")]
    [InlineData("525400123456")]
    [InlineData("52:54:00:12:34:56:78")]
    [InlineData("52 54 00 12 34 56")]
    [InlineData("+2:54:00:12:34:56")]
    public void What_is_no_mac_address_is_refused(string text) => Assert.False(MacAddress.TryParse(text, out _));

    [Fact]
    public void Derived_macs_are_local_unicast_and_differ_by_interface_and_attempt()
    {
        var id = new Guid("0197b3a2-0000-7000-8000-000000000001");
        var macs = Enumerable.Range(0, 8).SelectMany(index => Enumerable.Range(0, 4).Select(attempt => MacAddress.Derive(id, index, attempt))).ToList();

        Assert.All(macs, m => Assert.StartsWith("52:54:00:", m.ToString(), StringComparison.Ordinal));
        Assert.All(macs, m => Assert.False(m.IsMulticast));
        Assert.Equal(macs.Count, macs.Distinct().Count());
    }

    [Fact]
    public void Every_pci_address_reads_back_as_it_was_written_and_sorts_as_it_is_routed()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<ushort>(), ArbMap.Default.ArbFor<ushort>(), (domain, routingId) =>
        {
            var address = PciAddress.FromRoutingId(domain, routingId);
            Assert.Equal(address, PciAddress.Parse(address.ToString()));
            Assert.Equal(routingId, address.RoutingId);
            Assert.Equal(routingId.CompareTo((ushort)0x1000), address.RoutingId.CompareTo((ushort)0x1000));
            Assert.Equal(Math.Sign(routingId - 0x1000), Math.Sign(address.CompareTo(PciAddress.FromRoutingId(domain, 0x1000))));
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("41:10.2", "0000:41:10.2")]
    [InlineData("0000:41:10.2", "0000:41:10.2")]
    [InlineData("0001:00:1f.7", "0001:00:1f.7")]
    public void An_address_without_its_domain_is_in_domain_zero(string text, string full) => Assert.Equal(full, PciAddress.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("0000:41:20.0")]
    [InlineData("0000:41:10.8")]
    [InlineData("0000:41:10")]
    [InlineData("zzzz:41:10.2")]
    [InlineData("../etc/passwd")]
    [InlineData("0000:41:10.2 ")]
    public void What_is_no_pci_address_is_refused(string text) => Assert.False(PciAddress.TryParse(text, out _));

    [Theory]
    [InlineData("web-1", true)]
    [InlineData("a", true)]
    [InlineData("0a", true)]
    [InlineData("", false)]
    [InlineData("-a", false)]
    [InlineData("a-", false)]
    [InlineData("Web", false)]
    [InlineData("a.b", false)]
    [InlineData("a_b", false)]
    [InlineData("ä", false)]
    [InlineData("0197b3a2-0000-7000-8000-000000000001", false)]
    public void Names_are_dns_labels_that_no_id_can_be_mistaken_for(string name, bool valid) => Assert.Equal(valid, DnsLabel.IsValid(name));

    [Fact]
    public void A_name_of_63_characters_is_the_longest()
    {
        Assert.True(DnsLabel.IsValid(new string('a', DnsLabel.MaxLength)));
        Assert.False(DnsLabel.IsValid(new string('a', DnsLabel.MaxLength + 1)));
    }

    [Fact]
    public void A_pool_matches_by_every_field_that_it_names_and_by_its_kind()
    {
        var host = new HostId(new Guid("00000000-0000-7000-8000-000000000001"));
        var vf = new PciFunction
        {
            Address = PciAddress.Parse("0000:41:10.2"), Kind = PciKind.Endpoint, ClassCode = 0x020000, VendorId = 0x8086, DeviceId = 0x10ca,
            Function = FunctionKind.Virtual, PhysicalFunction = PciAddress.Parse("0000:41:00.0"),
        };
        DevicePool Pool(PoolKind kind, params PoolMatch[] match) => new(default, "p", kind, match, null, default, default, default);

        Assert.True(Pool(PoolKind.VirtualFunction, new PoolMatch(0x8086, 0x10ca, "02", host, vf.Address, vf.PhysicalFunction)).Contains(host, vf));
        Assert.True(Pool(PoolKind.VirtualFunction, new PoolMatch(VendorId: 0x15b3), new PoolMatch(ClassCode: "0200")).Contains(host, vf));
        Assert.False(Pool(PoolKind.Function, new PoolMatch()).Contains(host, vf));
        Assert.False(Pool(PoolKind.VirtualFunction, new PoolMatch(0x8086, ClassCode: "03")).Contains(host, vf));
        Assert.False(Pool(PoolKind.VirtualFunction, new PoolMatch()).Contains(host, vf with { Kind = PciKind.Bridge }));
        Assert.False(Pool(PoolKind.VirtualFunction).Contains(host, vf));
    }
}

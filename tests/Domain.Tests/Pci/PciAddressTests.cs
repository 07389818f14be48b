using ControlPlane.Domain.Pci;

namespace ControlPlane.Domain.Tests.Pci;

public sealed class PciAddressTests
{
    [Theory]
    [InlineData("0000:41:10.2", 0, 0x41, 0x10, 2)]
    [InlineData("ffff:ff:1f.7", 0xffff, 0xff, 0x1f, 7)]
    [InlineData("10000:e1:00.0", 0x10000, 0xe1, 0, 0)]
    [InlineData("7fffffff:00:00.1", int.MaxValue, 0, 0, 1)]
    public void An_address_reads_as_it_is_written(string text, int domain, int bus, int device, int function)
    {
        Assert.True(PciAddress.TryParse(text, out var address));

        Assert.Equal((domain, bus, device, function), (address.Domain, address.Bus, address.Device, address.Function));
        Assert.Equal(text, address.ToString());
        Assert.Equal(address, PciAddress.FromRoutingId(domain, address.RoutingId));
    }

    [Fact]
    public void Without_a_domain_it_is_in_domain_0() => Assert.Equal(new PciAddress(0, 0x41, 0x10, 2), PciAddress.Parse("41:10.2"));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0000:41:10.8")]
    [InlineData("0000:41:20.0")]
    [InlineData("000:41:10.0")]
    [InlineData("80000000:41:10.0")]
    [InlineData("100000000:41:10.0")]
    [InlineData("0000:4g:10.0")]
    [InlineData("0000:41:10.0 ")]
    [InlineData("+000:41:10.0")]
    public void Anything_else_is_no_address(string? text) => Assert.False(PciAddress.TryParse(text, out _));

    [Fact]
    public void Addresses_sort_by_domain_then_bus_then_device_then_function()
    {
        string[] sorted = ["0000:00:00.1", "0000:00:01.0", "0000:01:00.0", "0001:00:00.0", "10000:00:00.0"];

        Assert.Equal(sorted, sorted.Reverse().Select(PciAddress.Parse).Order().Select(a => a.ToString()));
    }
}

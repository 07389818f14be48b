using ControlPlane.Domain.Networks;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Libvirt.NodeDevices;

namespace ControlPlane.Libvirt.Tests.NodeDevices;

public sealed class PhysicalSideTests
{
    /// <summary>As iproute2 6.15 prints it for an igb with two functions, shortened to what is read.</summary>
    private const string Link = """
        [{"ifindex":6,"ifname":"enp4s0","link_type":"ether","address":"52:54:00:00:02:10","vfinfo_list":[
        {"vf":0,"link_type":"ether","address":"92:cb:6f:10:8b:a1","vlan_list":[{}],"rate":{"max_tx":0,"min_tx":0},"spoofchk":true,"link_state":"auto","trust":false},
        {"vf":3,"link_type":"ether","address":"12:77:38:1c:3c:57","vlan_list":[{"vlan":7}],"tx_rate":100,"rate":{"max_tx":100,"min_tx":0},"spoofchk":false,"link_state":"auto","trust":true}]}]
        """;

    [Theory]
    [InlineData(0, "92:cb:6f:10:8b:a1", null, false, true, 0)]
    [InlineData(3, "12:77:38:1c:3c:57", 7, true, false, 100)]
    public void Settings_are_read_as_ip_link_prints_them(int function, string mac, int? vlan, bool trust, bool spoofCheck, int maxTxRate) => Assert.Equal(
        new DeviceSettings(MacAddress.Parse(mac), vlan, null, trust, spoofCheck, 0, maxTxRate), PhysicalSide.Parse($"{function}\n{Link}"));

    [Theory]
    [InlineData("1\n" + Link)]
    [InlineData("\n" + Link)]
    [InlineData("0\nDevice \"eth9\" does not exist.")]
    [InlineData("0\n[]")]
    [InlineData("0\n[{}]")]
    [InlineData("0")]
    public void What_says_nothing_of_the_function_gives_no_settings(string text) => Assert.Null(PhysicalSide.Parse(text));

    [Fact]
    public void A_driver_without_trust_spoof_check_and_rates_has_the_usual_ones() => Assert.Equal(
        DeviceSettings.None with { Mac = MacAddress.Parse("02:00:00:00:00:01") },
        PhysicalSide.Parse("0\n[{\"vfinfo_list\":[{\"vf\":0,\"address\":\"02:00:00:00:00:01\"}]}]"));
}

using System.Xml.Linq;

namespace ControlPlane.LibvirtSharp.Tests.Hosts;

/// <summary>The rest of a host as the test driver has it: also that C's structs are laid out as ours.</summary>
public sealed class HostTests
{
    [Fact]
    public void A_host_tells_its_hardware_and_capabilities()
    {
        using var connection = TestNode.Open();

        Assert.Equal(new VirNodeHardware("i986", 8192000, 50, 6000, 4, 4, 4, 2), connection.GetHardware());
        Assert.NotNull(XElement.Parse(connection.GetCapabilities()).Element("host"));
        Assert.Equal(32, connection.GetMaxVcpus("test"));
    }

    [Fact]
    public void A_network_lives_from_its_definition_to_the_end_of_it()
    {
        using var connection = TestNode.Open();
        using (var listed = Assert.Single(connection.ListAllNetworks()))
            Assert.Equal(("net", "virbr9", true), (listed.Name, listed.GetBridgeName(), listed.IsActive()));

        using var network = connection.DefineNetwork(
            "<network><name>other</name><bridge name='virbr8'/><ip address='10.8.0.1' netmask='255.255.255.0'><dhcp><range start='10.8.0.2' end='10.8.0.9'/></dhcp></ip></network>");
        Assert.False(network.IsActive());
        network.Create();
        network.SetAutostart(true);
        network.Update(
            VirNetworkUpdateCommand.AddLast, VirNetworkUpdateSection.IpDhcpHost, "<host mac='52:54:00:00:00:01' ip='10.8.0.5'/>", flags: VirNetworkUpdateFlags.Live);

        Assert.True(network.IsActive() && network.IsPersistent() && network.GetAutostart());
        Assert.Contains("10.8.0.5", network.GetXml(), StringComparison.Ordinal);
        network.Destroy();
        network.Undefine();
        Assert.Equal(VirErrorNumber.NoNetwork, Assert.Throws<LibvirtException>(() => connection.LookupNetworkByUuid(network.Uuid)).Code);
    }

    [Fact]
    public void A_pool_and_its_volumes_live_from_their_definition_to_the_end_of_it()
    {
        using var connection = TestNode.Open();
        using var pool = connection.LookupStoragePoolByName("pool");
        Assert.True(pool.IsActive());
        var before = pool.GetUse();
        Assert.Equal(VirStoragePoolState.Running, before.State);

        using var volume = pool.CreateVolume("<volume><name>disk</name><capacity>1048576</capacity><allocation>1048576</allocation></volume>");
        using var copy = pool.CreateVolumeFrom("<volume><name>copy</name><capacity>1048576</capacity><allocation>1048576</allocation></volume>", volume);

        Assert.Equal(("disk", "/pool/disk", 1048576UL), (volume.Name, volume.GetPath(), volume.GetUse().Capacity));
        Assert.Equal(before.Available - 2 * 1048576, pool.GetUse().Available);
        using (var byPath = connection.LookupVolumeByPath("/pool/disk"))
            Assert.Equal(volume.Key, byPath.Key);
        using (var itsPool = volume.LookupPool())
            Assert.Equal(pool.Uuid, itsPool.Uuid);
        var volumes = pool.ListAllVolumes();
        Assert.Equal(["copy", "disk"], volumes.Select(each => each.Name).Order());
        foreach (var each in volumes)
            each.Dispose();
        volume.Delete();
        Assert.Equal(VirErrorNumber.NoStorageVol, Assert.Throws<LibvirtException>(() => pool.LookupVolumeByName("disk")).Code);
    }

    [Fact]
    public void A_node_device_is_found_by_the_name_it_is_listed_under()
    {
        using var connection = VirConnect.Open(TestNode.Default);
        var devices = connection.ListAllNodeDevices();

        Assert.NotEmpty(devices);
        foreach (var device in devices)
        {
            using var found = connection.LookupNodeDeviceByName(device.Name);
            Assert.Equal(device.Name, (string?)XElement.Parse(found.GetXml()).Element("name"));
            Assert.Equal(device.GetParent(), (string?)XElement.Parse(found.GetXml()).Element("parent"));
            Assert.NotEmpty(found.ListCapabilities());
            device.Dispose();
        }
    }

    [Fact]
    public void A_pci_function_has_the_name_that_libvirt_gives_it() =>
        Assert.Equal("pci_0000_04_1f_7", VirNodeDeviceLookup.NameOfPci(0, 0x04, 0x1f, 7));
}

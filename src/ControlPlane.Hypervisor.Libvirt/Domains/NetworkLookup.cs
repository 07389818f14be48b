using System.Xml.Linq;
using ControlPlane.Domain;
using ControlPlane.Hypervisor.Libvirt.DomainXml;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Domains;

/// <summary>
/// Our networks on a host. An operator says once per host what a network is there, as a libvirt network of the same name: on a bridge,
/// Open vSwitch, macvtap. A VLAN of it is <c>NAME-vlanN</c> where that is defined, else a tag, where the network can tag.
/// </summary>
internal static class NetworkLookup
{
    /// <summary>From this version on libvirt tags frames on a plain Linux bridge too.</summary>
    private static readonly VirVersion BridgeTagsSince = new(11, 0, 0);

    public static Outcome<NetworkChoice> Choose(VirConnect connection, DomainInterface nic)
    {
        if (nic.Network.Length == 0)
            return Fault.Impossible("network-not-found", $"Interface '{nic.Name}' names no network.");
        if (nic.Vlan is { } vlan)
        {
            var ofVlan = DomainXmlReader.NetworkOfVlan(nic.Network, vlan);
            if (Find(connection, ofVlan) is not null)
                return new NetworkChoice(ofVlan, null);
        }
        if (Find(connection, nic.Network) is not { } network)
        {
            var name = nic.Vlan is { } tag ? DomainXmlReader.NetworkOfVlan(nic.Network, tag) : nic.Network;
            return Fault.Impossible("network-not-found",
                $"The host has no libvirt network '{name}'. Define what it is there: virsh net-define FILE with <network><name>{name}</name><forward mode='bridge'/><bridge name='BRIDGE'/></network>, then virsh net-start {name} and virsh net-autostart {name}.");
        }
        if (nic.Vlan is null)
            return new NetworkChoice(nic.Network, null);
        return Tags(connection, network)
            ? new NetworkChoice(nic.Network, nic.Vlan)
            : Fault.Impossible("network-cannot-tag",
                $"The host's libvirt network '{nic.Network}' is on a plain bridge, and its libvirt tags no frames there. Define a network '{DomainXmlReader.NetworkOfVlan(nic.Network, nic.Vlan.Value)}' on a bridge of that VLAN, or put '{nic.Network}' on Open vSwitch.");
    }

    private static bool Tags(VirConnect connection, XElement network)
    {
        if ((string?)network.Element("virtualport")?.Attribute("type") == "openvswitch" || (string?)network.Element("forward")?.Attribute("mode") == "hostdev")
            return true;
        return connection.GetDaemonVersion() >= BridgeTagsSince;
    }

    private static XElement? Find(VirConnect connection, string name)
    {
        try
        {
            using var network = connection.LookupNetworkByName(name);
            return XElement.Parse(network.GetXml());
        }
        catch (LibvirtException e) when (e.Code == VirErrorNumber.NoNetwork)
        {
            return null;
        }
    }
}

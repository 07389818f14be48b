using System.Globalization;
using System.Xml.Linq;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Hypervisor.Libvirt.DomainXml;

/// <summary>A function of the host in a domain, as the domain's description shows it.</summary>
/// <param name="Name">The name that we gave it; null for one that somebody else put there.</param>
internal sealed record FunctionInDomain(string? Name, PciAddress Address, PciAddress? GuestAddress, MacAddress? Mac);

/// <summary>A domain's description, read back: what is really plugged.</summary>
/// <param name="Uuid">Of the domain; ours have the VM's id.</param>
internal sealed record DomainPicture(
    Guid Uuid, string Name, DomainMark? Mark, IReadOnlyList<FunctionInDomain> Functions, IReadOnlyList<DomainInterface> Interfaces,
    IReadOnlySet<PciAddress> GuestAddresses)
{
    /// <summary>Who is at a guest address: a device's or an interface's alias; null: nobody of ours.</summary>
    public bool IsTaken(PciAddress guestAddress) => GuestAddresses.Contains(guestAddress);
}

/// <summary>Reads what libvirt says of a domain, live or stored.</summary>
internal static class DomainXmlReader
{
    private const string VlanSuffix = "-vlan";

    /// <summary>The name of a libvirt network that is one VLAN of another.</summary>
    public static string NetworkOfVlan(string network, int vlan) => $"{network}{VlanSuffix}{vlan.ToString(CultureInfo.InvariantCulture)}";

    public static DomainPicture Read(string xml) => Read(XElement.Parse(xml));

    public static DomainPicture Read(XElement domain)
    {
        var devices = domain.Element("devices")?.Elements().ToList() ?? [];
        return new DomainPicture(
            Guid.Parse((string)domain.Element("uuid")!), (string)domain.Element("name")!, DomainMark.OfDomain(domain),
            [.. devices.Select(Function).OfType<FunctionInDomain>()],
            [.. devices.Select(Interface).OfType<DomainInterface>()],
            devices.Select(d => PciAddressXml.Read(d.Element("address"))).OfType<PciAddress>().ToHashSet());
    }

    private static FunctionInDomain? Function(XElement device)
    {
        var isFunction = device.Name.LocalName switch
        {
            "interface" => IsHostdev(device),
            "hostdev" => (string?)device.Attribute("type") == "pci",
            _ => false,
        };
        return isFunction && PciAddressXml.Read(device.Element("source")?.Element("address")) is { } address
            ? new FunctionInDomain(DeviceAlias.FunctionName(AliasOf(device)), address, PciAddressXml.Read(device.Element("address")), Mac(device))
            : null;
    }

    /// <summary>Only ours: an interface that somebody else added has none of our aliases.</summary>
    private static DomainInterface? Interface(XElement device)
    {
        if (device.Name.LocalName != "interface" || IsHostdev(device) || DeviceAlias.InterfaceName(AliasOf(device)) is not { } name
            || Mac(device) is not { } mac || PciAddressXml.Read(device.Element("address")) is not { } guestAddress)
            return null;
        var (network, vlan) = Network((string?)device.Element("source")?.Attribute("network") ?? "", Number(device.Element("vlan")?.Element("tag")?.Attribute("id")));
        return new DomainInterface(
            name, mac, network, vlan, Number(device.Element("mtu")?.Attribute("size")),
            (string?)device.Element("teaming")?.Attribute("type") == "persistent" || DeviceAlias.IsUnteamedStandby(AliasOf(device)),
            (string?)device.Element("link")?.Attribute("state") != "down", guestAddress);
    }

    internal static (string Network, int? Vlan) Network(string network, int? tag)
    {
        var at = network.LastIndexOf(VlanSuffix, StringComparison.Ordinal);
        return tag is null && at > 0 && int.TryParse(network.AsSpan(at + VlanSuffix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var vlan)
            ? (network[..at], vlan)
            : (network, tag);
    }

    public static string? AliasOf(XElement device) => (string?)device.Element("alias")?.Attribute("name");

    private static bool IsHostdev(XElement device) => (string?)device.Attribute("type") == "hostdev";

    private static MacAddress? Mac(XElement device) =>
        MacAddress.TryParse((string?)device.Element("mac")?.Attribute("address"), out var mac) ? mac : null;

    private static int? Number(XAttribute? attribute) =>
        int.TryParse(attribute?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
}

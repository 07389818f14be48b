using System.Xml.Linq;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Libvirt.DomainXml;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.NodeDevices;

/// <summary>One PCI function of a host, as libvirt shows it now.</summary>
/// <param name="IsEndpoint">False for bridges, which nobody is given.</param>
/// <param name="VfCountMax">Null: it has no SR-IOV capability, or its driver does not offer it.</param>
/// <param name="VirtualFunctions">Those that exist.</param>
internal sealed record NodeFunction(
    PciAddress Address, string? Driver, bool IsEndpoint, PciAddress? PhysicalFunction, int? VfCountMax, IReadOnlyList<PciAddress> VirtualFunctions);

/// <summary>Looks at single functions, freshly.</summary>
internal static class NodeDeviceLook
{
    public const string Vfio = "vfio-pci";
    private const int BridgeClass = 0x06;

    public static string NameOf(PciAddress address) =>
        VirNodeDeviceLookup.NameOfPci(address.Domain, address.Bus, address.Device, address.Function);

    /// <summary>Null when the host has no such function.</summary>
    public static NodeFunction? Find(VirConnect connection, PciAddress address)
    {
        using var device = connection.FindNodeDeviceByName(NameOf(address));
        return device is null ? null : Read(device.GetXml(), address);
    }

    public static string? DriverOf(VirConnect connection, PciAddress address) => Find(connection, address)?.Driver;

    internal static NodeFunction? Read(string xml, PciAddress address)
    {
        var device = XElement.Parse(xml);
        if (device.Elements("capability").FirstOrDefault(c => (string?)c.Attribute("type") == "pci") is not { } pci)
            return null;
        XElement? Capability(string type) => pci.Elements("capability").FirstOrDefault(c => (string?)c.Attribute("type") == type);
        var functions = Capability("virt_functions");
        return new NodeFunction(
            address, (string?)device.Element("driver")?.Element("name"), ClassOf(pci) >> 16 != BridgeClass && Capability("pci-bridge") is null,
            PciAddressXml.Read(Capability("phys_function")?.Element("address")),
            (int?)functions?.Attribute("maxCount"),
            [.. functions?.Elements("address").Select(PciAddressXml.Read).OfType<PciAddress>() ?? []]);
    }

    /// <summary>The MAC of the network interface that the host's driver makes of a function; null when there is none.</summary>
    public static string? NetworkAddressOf(VirConnect connection, PciAddress address)
    {
        foreach (var device in connection.ListAllNodeDevices(VirConnectListAllNodeDeviceFlags.CapNet))
        {
            using (device)
            {
                if (device.GetParent() == NameOf(address))
                    return (string?)XElement.Parse(device.GetXml()).Element("capability")?.Element("address");
            }
        }
        return null;
    }

    private static int ClassOf(XElement pci) =>
        (string?)pci.Element("class") is { } text && text.StartsWith("0x", StringComparison.Ordinal)
        && int.TryParse(text.AsSpan(2), System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out var code) ? code : 0;
}

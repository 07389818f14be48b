using System.Globalization;
using System.Xml.Linq;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Hypervisor.Libvirt.DomainXml;

/// <summary>libvirt's <c>&lt;address type='pci' domain='0x0000' bus='0x04' slot='0x10' function='0x2'/&gt;</c>.</summary>
internal static class PciAddressXml
{
    public static XElement Write(PciAddress address, bool withType = true, bool multifunction = false) =>
        new("address",
            withType ? new XAttribute("type", "pci") : null,
            new XAttribute("domain", $"0x{address.Domain:x4}"), new XAttribute("bus", $"0x{address.Bus:x2}"),
            new XAttribute("slot", $"0x{address.Device:x2}"), new XAttribute("function", $"0x{address.Function:x}"),
            multifunction ? new XAttribute("multifunction", "on") : null);

    /// <summary>Null for an element that is absent or no PCI address.</summary>
    public static PciAddress? Read(XElement? element)
    {
        if (element is null || (string?)element.Attribute("type") is not (null or "pci"))
            return null;
        return Part(element, "domain") is { } domain && Part(element, "bus") is { } bus && Part(element, "slot") is { } slot
            && Part(element, "function") is { } function && bus <= 0xff && slot <= 0x1f && function <= 7
                ? new PciAddress(domain, bus, slot, function)
                : null;
    }

    private static int? Part(XElement element, string name)
    {
        var text = (string?)element.Attribute(name) ?? "0";
        var (digits, style) = text.StartsWith("0x", StringComparison.Ordinal)
            ? (text[2..], NumberStyles.AllowHexSpecifier) : (text, NumberStyles.None);
        return int.TryParse(digits, style, CultureInfo.InvariantCulture, out var value) && value >= 0 ? value : null;
    }
}

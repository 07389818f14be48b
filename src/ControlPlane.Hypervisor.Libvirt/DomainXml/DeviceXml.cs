using System.Globalization;
using System.Xml.Linq;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Hypervisor.Libvirt.DomainXml;

/// <summary>Which of a host's libvirt networks an interface joins, and the tag that libvirt itself puts on its frames.</summary>
/// <param name="Tag">Null where the network is of one VLAN already, or of none.</param>
internal sealed record NetworkChoice(string Network, int? Tag);

/// <summary>One device of a domain, as it is written at definition and at hot-plug alike.</summary>
internal static class DeviceXml
{
    /// <summary>A virtio interface. One that is the standby of a pair is persistent in libvirt's teaming: the function comes and goes beside it.</summary>
    public static XElement Interface(DomainInterface nic, NetworkChoice network, bool teaming) =>
        new("interface", new XAttribute("type", "network"),
            Mac(nic.Mac),
            new XElement("source", new XAttribute("network", CleanText.Clean(network.Network))),
            Vlan(network.Tag),
            new XElement("model", new XAttribute("type", "virtio")),
            nic.Standby && teaming ? new XElement("teaming", new XAttribute("type", "persistent")) : null,
            nic.Mtu is { } mtu ? new XElement("mtu", new XAttribute("size", Number(mtu))) : null,
            new XElement("link", new XAttribute("state", nic.LinkUp ? "up" : "down")),
            Alias(DeviceAlias.Of(nic, teaming)),
            PciAddressXml.Write(nic.GuestAddress));

    /// <summary>
    /// A function of the host. One with a MAC serves an interface: libvirt then sets MAC and VLAN through the physical function when the
    /// device is opened and puts back what was there when it is closed. <c>managed='no'</c>: which driver it is bound to is ours to decide
    /// and to prove, also after a crash of libvirt or of the control plane.
    /// </summary>
    /// <param name="standby">The name of the interface whose standby it is teamed with; null: none.</param>
    public static XElement Function(DomainDevice device, string? standby)
    {
        var source = new XElement("source", PciAddressXml.Write(device.Claim.Address, withType: device.Settings.Mac is not null));
        var alias = Alias(DeviceAlias.Function(device.Name));
        return device.Settings.Mac is { } mac
            ? new XElement("interface", new XAttribute("type", "hostdev"), Unmanaged(),
                Mac(mac), new XElement("driver", new XAttribute("name", "vfio")), source, Vlan(device.Settings.Vlan),
                standby is null ? null : new XElement("teaming", new XAttribute("type", "transient"), new XAttribute("persistent", DeviceAlias.Interface(standby))),
                alias, PciAddressXml.Write(device.GuestAddress))
            : new XElement("hostdev", new XAttribute("mode", "subsystem"), new XAttribute("type", "pci"), Unmanaged(),
                new XElement("driver", new XAttribute("name", "vfio")), source, alias, PciAddressXml.Write(device.GuestAddress));
    }

    /// <param name="number">0: the root disk.</param>
    public static XElement Disk(int number, DiskVolume volume)
    {
        var address = GuestSlots.OfDisk(number);
        return new XElement("disk", new XAttribute("type", "volume"), new XAttribute("device", "disk"),
            new XElement("driver", new XAttribute("name", "qemu"), new XAttribute("type", "qcow2"), new XAttribute("discard", "unmap")),
            new XElement("source", new XAttribute("pool", CleanText.Clean(volume.Pool)), new XAttribute("volume", volume.Name)),
            new XElement("target", new XAttribute("dev", TargetName(number)), new XAttribute("bus", "virtio")),
            number == 0 ? new XElement("boot", new XAttribute("order", "1")) : null,
            Alias($"ua-disk-{Number(number)}"),
            PciAddressXml.Write(address, multifunction: GuestSlots.IsMultifunction(address)));
    }

    /// <summary>vda, vdb, … vdz, vdaa: as Linux counts.</summary>
    internal static string TargetName(int number)
    {
        const int letters = 26;
        var name = "";
        for (var n = number; n >= 0; n = (n / letters) - 1)
            name = (char)('a' + (n % letters)) + name;
        return "vd" + name;
    }

    private static XElement Mac(MacAddress mac) => new("mac", new XAttribute("address", mac.ToString()));

    private static XElement? Vlan(int? tag) =>
        tag is { } id ? new XElement("vlan", new XElement("tag", new XAttribute("id", Number(id)))) : null;

    private static XAttribute Unmanaged() => new("managed", "no");

    private static XElement Alias(string name) => new("alias", new XAttribute("name", name));

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A disk of a VM, as a volume of one of the host's storage pools.</summary>
internal sealed record DiskVolume(string Pool, string Name);

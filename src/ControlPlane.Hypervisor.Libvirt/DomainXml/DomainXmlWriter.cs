using System.Globalization;
using System.Xml.Linq;
using ControlPlane.Domain.VirtualMachines;

namespace ControlPlane.Hypervisor.Libvirt.DomainXml;

/// <summary>What a domain is written from: the definition, and what the host was found to have for it.</summary>
/// <param name="Networks">By interface name.</param>
/// <param name="Disks">The root disk, then the others in the definition's order.</param>
internal sealed record DomainPlan(
    DomainDefinition Definition, DomainMark Mark, HostTraits Host, IReadOnlyDictionary<string, NetworkChoice> Networks, IReadOnlyList<DiskVolume> Disks);

/// <summary>Writes a domain's description (<c>formatdomain.html</c>) as a tree of elements: no text of a caller ever becomes markup.</summary>
internal static class DomainXmlWriter
{
    public static XElement Write(DomainPlan plan)
    {
        var definition = plan.Definition;
        return new XElement("domain", new XAttribute("type", plan.Host.DomainType),
            new XElement("name", DomainMark.DomainName(definition.Ref.Vm)),
            new XElement("uuid", definition.Ref.Vm.Value.ToString("D")),
            new XElement("title", CleanText.OneLine(definition.Name)),
            new XElement("metadata", plan.Mark.WriteQualified()),
            new XElement("memory", new XAttribute("unit", "MiB"), Number(definition.MemoryMiB)),
            MemoryBacking(definition.Hugepages),
            new XElement("vcpu", Number(definition.Vcpus)),
            new XElement("os", new XElement("type", new XAttribute("arch", plan.Host.Architecture), new XAttribute("machine", plan.Host.Machine), "hvm")),
            new XElement("features", new XElement("acpi"), new XElement("apic"), IoApic(plan)),
            Cpu(plan),
            new XElement("clock", new XAttribute("offset", "utc"), new XElement("timer", new XAttribute("name", "hpet"), new XAttribute("present", "no"))),
            new XElement("on_poweroff", "destroy"), new XElement("on_reboot", "restart"), new XElement("on_crash", "destroy"),
            Devices(plan));
    }

    private static XElement? MemoryBacking(HugepageSize size) => size switch
    {
        HugepageSize.Size2MiB => Pages(2),
        HugepageSize.Size1GiB => Pages(1024),
        _ => null,
    };

    private static XElement Pages(int mebibytes) =>
        new("memoryBacking", new XElement("hugepages", new XElement("page", new XAttribute("size", Number(mebibytes)), new XAttribute("unit", "MiB"))));

    /// <summary>More than 255 vCPUs need interrupt remapping in the guest, and that QEMU's own IOAPIC.</summary>
    private static XElement? IoApic(DomainPlan plan) =>
        plan.Definition.Vcpus > 255 ? new XElement("ioapic", new XAttribute("driver", "qemu")) : null;

    /// <summary>
    /// With KVM the host's model with its features, written out by libvirt when the domain starts, so that a migration's target can tell whether
    /// it has them. Without it the plainest model, which every QEMU emulates alike.
    /// </summary>
    private static XElement Cpu(DomainPlan plan) =>
        plan.Host.HasKvm
            ? new XElement("cpu", new XAttribute("mode", "host-model"), new XAttribute("check", "partial"), Topology(plan.Definition.Vcpus))
            : new XElement("cpu", new XAttribute("mode", "custom"), new XAttribute("match", "exact"), new XAttribute("check", "none"),
                new XElement("model", "qemu64"), Topology(plan.Definition.Vcpus));

    private static XElement Topology(int vcpus) =>
        new("topology", new XAttribute("sockets", "1"), new XAttribute("cores", Number(vcpus)), new XAttribute("threads", "1"));

    private static XElement Devices(DomainPlan plan)
    {
        var definition = plan.Definition;
        var devices = new XElement("devices",
            new XElement("controller", new XAttribute("type", "usb"), new XAttribute("model", "none")),
            PciController(0, "pcie-root"));
        var ports = GuestSlots.PortsFor(definition.Interfaces.Select(i => i.GuestAddress).Concat(definition.Devices.Select(d => d.GuestAddress)));
        for (var port = 1; port <= ports; port++)
            devices.Add(RootPort(port));
        for (var disk = 0; disk < plan.Disks.Count; disk++)
            devices.Add(DeviceXml.Disk(disk, plan.Disks[disk]));
        foreach (var nic in definition.Interfaces)
            devices.Add(DeviceXml.Interface(nic, plan.Networks[nic.Name], plan.Mark.Teaming));
        foreach (var device in definition.Devices)
        {
            var teamed = plan.Mark.Teaming && definition.Interfaces.Any(i => i.Standby && i.Name == device.Name);
            devices.Add(DeviceXml.Function(device, teamed ? device.Name : null));
        }
        devices.Add(
            new XElement("serial", new XAttribute("type", "pty"), new XElement("target", new XAttribute("type", "isa-serial"), new XAttribute("port", "0"))),
            new XElement("console", new XAttribute("type", "pty"), new XElement("target", new XAttribute("type", "serial"), new XAttribute("port", "0"))),
            // VFIO pins all of a guest's memory; a balloon would only pretend.
            new XElement("memballoon", new XAttribute("model", "none")));
        return devices;
    }

    private static XElement PciController(int index, string model) =>
        new("controller", new XAttribute("type", "pci"), new XAttribute("index", Number(index)), new XAttribute("model", model));

    private static XElement RootPort(int port)
    {
        var controller = PciController(port, "pcie-root-port");
        var address = GuestSlots.OfPort(port);
        controller.Add(
            new XElement("target", new XAttribute("chassis", Number(port)), new XAttribute("port", $"0x{port:x}")),
            PciAddressXml.Write(address, multifunction: GuestSlots.IsMultifunction(address)));
        return controller;
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}

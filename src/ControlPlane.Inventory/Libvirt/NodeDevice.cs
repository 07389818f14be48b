using System.Globalization;
using System.Xml.Linq;
using ControlPlane.Domain;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Inventory.Libvirt;

/// <summary>A PCI function in libvirt's words (<c>formatnode.html</c>, capability type <c>pci</c>). Null: not said.</summary>
internal sealed record NodeDevice(PciAddress Address, string Source)
{
    public required int ClassCode { get; init; }

    public ushort VendorId { get; init; }

    public ushort DeviceId { get; init; }

    public string? VendorName { get; init; }

    public string? DeviceName { get; init; }

    public string? Driver { get; init; }

    public int? NumaNode { get; init; }

    public int? IommuGroup { get; init; }

    /// <summary>Of the bridge above, from the path in sysfs.</summary>
    public PciAddress? Parent { get; init; }

    /// <summary>The device that made this function's domain, from the path in sysfs: Intel VMD.</summary>
    public PciAddress? DomainMaker { get; init; }

    public PciAddress? PhysicalFunction { get; init; }

    /// <summary>Set on a physical function: <c>sriov_totalvfs</c>, which a driver may have set below the hardware's total.</summary>
    public int? TotalVfs { get; init; }

    public IReadOnlyList<PciAddress> VirtualFunctions { get; init; } = [];

    public bool IsBridge { get; init; }

    public bool IsExpress { get; init; }

    public PciLink? Link { get; init; }
}

/// <summary>Reads <c>&lt;device&gt;</c> documents: PCI functions, and the network interfaces that sit on them.</summary>
internal sealed class NodeDevices
{
    private readonly Dictionary<PciAddress, NodeDevice> functions = [];
    private readonly Dictionary<PciAddress, HostNetworkInterface> interfaces = [];
    private readonly List<InventoryWarning> warnings = [];
    private readonly Dictionary<string, PciAddress> addressByName = new(StringComparer.Ordinal);
    private readonly List<(string Parent, HostNetworkInterface Interface)> waiting = [];

    public IReadOnlyDictionary<PciAddress, NodeDevice> Functions => functions;

    public IReadOnlyDictionary<PciAddress, HostNetworkInterface> Interfaces => interfaces;

    public IReadOnlyList<InventoryWarning> Warnings => warnings;

    public static Outcome<NodeDevices> Parse(IReadOnlyList<string> texts)
    {
        var devices = new NodeDevices();
        var length = 0L;
        for (var i = 0; i < texts.Count; i++)
        {
            var field = $"nodeDevices[{i}]";
            length += texts[i].Length;
            if (length > TextLimits.LongestText)
                return Fault.Field(FaultKind.Malformed, "nodeDevices", $"are more than {TextLimits.LongestText} characters together.");
            if (!XmlTexts.Parse(field, texts[i]).TryGet(out var documents, out var fault))
                return fault;
            devices.AddAll(field, documents);
        }
        devices.JoinInterfaces();
        return devices;
    }

    private void AddAll(string field, IReadOnlyList<XElement> documents)
    {
        // virsh prints one <device> after the other; some wrap them in an element of their own.
        var list = documents.SelectMany(d => d.Name == "device" ? [d] : d.Elements("device")).ToList();
        var warned = new WarningList(field);
        if (list.Count == 0)
            warned.Add(null, "has no <device>");
        foreach (var device in list)
            Add(field, device, warned);
        warnings.AddRange(warned.ToList());
    }

    private void Add(string field, XElement device, WarningList warned)
    {
        var name = (string?)device.Element("name") ?? "";
        foreach (var capability in device.Elements("capability"))
        {
            switch ((string?)capability.Attribute("type"))
            {
                case "pci" when NodeDeviceXml.Read(field, device, capability) is { } function:
                    if (functions.Count >= TextLimits.MostFunctions || !functions.TryAdd(function.Address, function))
                        warned.Add(null, "was described before; the first description counts", function.Address);
                    addressByName.TryAdd(name, function.Address);
                    break;
                case "pci":
                    warned.Add(null, $"{WarningList.Quote(name)} has no PCI address (domain, bus, slot, function); it is left out");
                    break;
                case "net" when (string?)capability.Element("interface") is { Length: > 0 } interfaceName:
                    waiting.Add(((string?)device.Element("parent") ?? "", new HostNetworkInterface(interfaceName, (string?)capability.Element("address"))));
                    break;
            }
        }
    }

    /// <summary>An interface names its parent, which may stand in a later text. One on virtio names the virtio device, which is none of PCI.</summary>
    private void JoinInterfaces()
    {
        foreach (var (parent, networkInterface) in waiting)
        {
            if (addressByName.TryGetValue(parent, out var address) || NodeDeviceXml.TryParseName(parent, out address))
                interfaces.TryAdd(address, networkInterface);
        }
    }
}

/// <summary>One PCI capability of a node device.</summary>
internal static class NodeDeviceXml
{
    public static NodeDevice? Read(string field, XElement device, XElement pci)
    {
        if (Number(pci.Element("domain")?.Value) is not { } domain || Number(pci.Element("bus")?.Value) is not { } bus
            || Number(pci.Element("slot")?.Value) is not { } slot || Number(pci.Element("function")?.Value) is not { } function
            || ToAddress(domain, bus, slot, function) is not { } address)
            return null;
        var path = (string?)device.Element("path");
        var express = pci.Element("pci-express");
        var physical = Capability(pci, "virt_functions");
        return new NodeDevice(address, field)
        {
            ClassCode = Number(pci.Element("class")?.Value) is { } code and <= 0xffffff ? code : 0,
            VendorId = Id(pci.Element("vendor")),
            DeviceId = Id(pci.Element("product")),
            VendorName = Name(pci.Element("vendor")),
            DeviceName = Name(pci.Element("product")),
            Driver = device.Element("driver")?.Element("name")?.Value,
            NumaNode = Number((string?)pci.Element("numa")?.Attribute("node")),
            IommuGroup = Number((string?)pci.Element("iommuGroup")?.Attribute("number")),
            Parent = AddressesOf(path) is [.., var above, _] && above.Domain == address.Domain ? above : null,
            DomainMaker = AddressesOf(path).LastOrDefault(a => a.Domain != address.Domain) is var maker && maker != default ? maker : null,
            PhysicalFunction = Capability(pci, "phys_function")?.Elements("address").Select(Address).FirstOrDefault(),
            TotalVfs = physical is null ? null : Number((string?)physical.Attribute("maxCount")) ?? physical.Elements("address").Count(),
            VirtualFunctions = physical is null ? [] : [.. physical.Elements("address").Select(Address).OfType<PciAddress>()],
            IsBridge = Capability(pci, "pci-bridge") is not null,
            IsExpress = express is not null,
            Link = express is null ? null : ReadLink(express),
        };
    }

    /// <summary><c>pci_0000_04_00_0</c>.</summary>
    public static bool TryParseName(string name, out PciAddress address)
    {
        address = default;
        var parts = name.Split('_');
        return parts is ["pci", var domain, var bus, var slot, var function]
            && PciAddress.TryParse($"{domain}:{bus}:{slot}.{function}", out address);
    }

    /// <summary>The PCI addresses in a path of sysfs: <c>/sys/devices/pci0000:00/0000:00:04.0/0000:04:00.0</c>.</summary>
    private static List<PciAddress> AddressesOf(string? path)
    {
        var addresses = new List<PciAddress>();
        foreach (var part in (path ?? "").Split('/'))
        {
            if (PciAddress.TryParse(part, out var address))
                addresses.Add(address);
        }
        return addresses;
    }

    private static PciLink? ReadLink(XElement express)
    {
        var can = Link(express, "cap");
        var has = Link(express, "sta");
        return can is null ? null : new PciLink(Speed(has), Number((string?)has?.Attribute("width")) ?? 0, Speed(can), Number((string?)can.Attribute("width")) ?? 0);

        static XElement? Link(XElement express, string validity) =>
            express.Elements("link").FirstOrDefault(l => (string?)l.Attribute("validity") == validity);

        static double Speed(XElement? link) =>
            double.TryParse((string?)link?.Attribute("speed"), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var speed) ? speed : 0;
    }

    private static XElement? Capability(XElement pci, string type) => pci.Elements("capability").FirstOrDefault(c => (string?)c.Attribute("type") == type);

    private static PciAddress? Address(XElement element) =>
        Number((string?)element.Attribute("domain")) is { } domain && Number((string?)element.Attribute("bus")) is { } bus
            && Number((string?)element.Attribute("slot")) is { } slot && Number((string?)element.Attribute("function")) is { } function
                ? ToAddress(domain, bus, slot, function)
                : null;

    private static PciAddress? ToAddress(int domain, int bus, int slot, int function) =>
        domain >= 0 && bus is >= 0 and <= 0xff && slot is >= 0 and <= 0x1f && function is >= 0 and <= 7 ? new PciAddress(domain, bus, slot, function) : null;

    private static ushort Id(XElement? element) => Number((string?)element?.Attribute("id")) is { } id and >= 0 and <= 0xffff ? (ushort)id : (ushort)0;

    private static string? Name(XElement? element) => element?.Value.Trim() is { Length: > 0 } name ? name : null;

    /// <summary>Decimal, or hexadecimal with 0x, as libvirt mixes them.</summary>
    private static int? Number(string? text)
    {
        text = text?.Trim();
        if (text is null)
            return null;
        var hex = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        return hex
            ? int.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) ? value : null
            : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) ? value : null;
    }
}

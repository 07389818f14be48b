using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using ControlPlane.Domain;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Libvirt.DomainXml;

namespace ControlPlane.Hypervisor.Libvirt.Register;

/// <summary>What a host remembers of a device that was ever handed out.</summary>
/// <param name="Claim">With the newest generation that was seen.</param>
/// <param name="Owner">Null: cleaned, and nobody's since.</param>
/// <param name="DriverBefore">The driver that the host had bound when it was first prepared: what cleaning gives back.</param>
/// <param name="Cleaned">Whether it was cleaned under this generation: then this generation is over.</param>
internal sealed record DeviceRecord(DeviceClaim Claim, VmId? Owner, DeviceSettings Settings, string? DriverBefore, bool Cleaned)
{
    internal const string ElementName = "device";
    private const string Spaces = "https://controlplane.dev/xmlns/libvirt/device/1/";

    public static string NamespaceOf(PciAddress address) => Spaces + address;

    public static Fault Stale(DeviceClaim claim, Generation newest) =>
        Fault.Conflict("stale-generation", $"{claim.Address} was handed out under generation {newest} since; {claim.Generation} is over.");

    public XElement Write() => new(ElementName,
        new XAttribute("address", Claim.Address.ToString()), RecordXml.Number("generation", Claim.Generation.Value),
        Owner is { } owner ? new XAttribute("owner", owner.Value.ToString("D")) : null,
        Settings.Mac is { } mac ? new XAttribute("mac", mac.ToString()) : null,
        Settings.Vlan is { } vlan ? RecordXml.Number("vlan", vlan) : null,
        Settings.Network is { } network ? new XAttribute("network", CleanText.Clean(network)) : null,
        Settings.Trust ? new XAttribute("trust", "yes") : null, Settings.SpoofCheck ? null : new XAttribute("spoof-check", "no"),
        Settings.MinTxRateMbps > 0 ? RecordXml.Number("min-tx-mbps", Settings.MinTxRateMbps) : null,
        Settings.MaxTxRateMbps > 0 ? RecordXml.Number("max-tx-mbps", Settings.MaxTxRateMbps) : null,
        DriverBefore is { } driver ? new XAttribute("driver-before", CleanText.Clean(driver)) : null,
        Cleaned ? new XAttribute("cleaned", "yes") : null);

    public static DeviceRecord? Parse(string? text) => RecordXml.Parse(text) is { } element ? Read(element) : null;

    public static DeviceRecord? Read(XElement element) =>
        element.Name.LocalName == ElementName && PciAddress.TryParse((string?)element.Attribute("address"), out var address)
        && RecordXml.Number(element, "generation") is { } generation
            ? new DeviceRecord(
                new DeviceClaim(address, new Generation(generation)),
                Guid.TryParse((string?)element.Attribute("owner"), out var owner) ? new VmId(owner) : null,
                DeviceSettings.None with
                {
                    Mac = MacAddress.TryParse((string?)element.Attribute("mac"), out var mac) ? mac : null,
                    Vlan = (int?)RecordXml.Number(element, "vlan"),
                    Network = (string?)element.Attribute("network"),
                    Trust = (string?)element.Attribute("trust") == "yes",
                    SpoofCheck = (string?)element.Attribute("spoof-check") != "no",
                    MinTxRateMbps = (int)(RecordXml.Number(element, "min-tx-mbps") ?? 0),
                    MaxTxRateMbps = (int)(RecordXml.Number(element, "max-tx-mbps") ?? 0),
                },
                (string?)element.Attribute("driver-before"), (string?)element.Attribute("cleaned") == "yes")
            : null;
}

/// <summary>A VM that was here: undefined, or moved away.</summary>
/// <param name="Ref">With the newest epoch that was seen: a late call of an older operation is refused.</param>
/// <param name="Target">Where its migration goes or went; null: it was undefined.</param>
/// <param name="Copy">How the copy ended; null while it is under way, and for an undefined one.</param>
internal sealed record DepartureRecord(DomainRef Ref, DateTimeOffset At, string? Target, CopyProgress? Copy)
{
    internal const string ElementName = "departure";
    private const string Spaces = "https://controlplane.dev/xmlns/libvirt/departure/1/";

    /// <summary>Whether it lives on elsewhere with copies of the disks that it had here.</summary>
    public bool HasTakenDisksAlong => Target is not null && Copy is { Phase: CopyPhase.Completed } && MigrationRoute.Parse(Target).CopyDisks;

    public static string NamespaceOf(VmId vm) => Spaces + vm.Value.ToString("D");

    public XElement Write() => new(ElementName,
        new XAttribute("vm", Ref.Vm.Value.ToString("D")), RecordXml.Number("epoch", Ref.Epoch.Value), RecordXml.Number("at", At.ToUnixTimeMilliseconds()),
        Target is null ? null : new XAttribute("target", CleanText.Clean(Target)),
        Copy is null ? null : (object[])
        [
            new XAttribute("phase", Copy.Phase.ToString()), RecordXml.Number("passes", Copy.Passes), RecordXml.Number("total", Copy.BytesTotal),
            RecordXml.Number("transferred", Copy.BytesTransferred),
            .. Copy.Downtime is { } downtime ? new[] { RecordXml.Number("downtime-ms", (long)downtime.TotalMilliseconds) } : [],
            .. Copy.Error is { } error ? new[] { new XAttribute("error", CleanText.Clean(error)) } : [],
        ]);

    public static DepartureRecord? Parse(string? text) => RecordXml.Parse(text) is { } element ? Read(element) : null;

    public static DepartureRecord? Read(XElement element) =>
        element.Name.LocalName == ElementName && Guid.TryParse((string?)element.Attribute("vm"), out var vm)
        && RecordXml.Number(element, "epoch") is { } epoch && RecordXml.Number(element, "at") is { } at
            ? new DepartureRecord(
                new DomainRef(new VmId(vm), new Generation(epoch)), DateTimeOffset.FromUnixTimeMilliseconds(at), (string?)element.Attribute("target"),
                ReadCopy(element))
            : null;

    private static CopyProgress? ReadCopy(XElement element) =>
        Enum.TryParse<CopyPhase>((string?)element.Attribute("phase"), out var phase)
            ? new CopyProgress(
                phase, (int)(RecordXml.Number(element, "passes") ?? 0), RecordXml.Number(element, "total") ?? 0,
                RecordXml.Number(element, "transferred") ?? 0, 0, 0,
                RecordXml.Number(element, "downtime-ms") is { } downtime ? TimeSpan.FromMilliseconds(downtime) : null, (string?)element.Attribute("error"))
            : null;
}

/// <summary>All that the register of a host holds.</summary>
internal sealed record RegisterPicture(IReadOnlyDictionary<PciAddress, DeviceRecord> Devices, IReadOnlyList<DepartureRecord> Departures)
{
    public static readonly RegisterPicture Empty = new(new Dictionary<PciAddress, DeviceRecord>(), []);

    public static RegisterPicture Read(XElement domain)
    {
        var elements = domain.Element("metadata")?.Elements().ToList() ?? [];
        return new(
            elements.Select(DeviceRecord.Read).OfType<DeviceRecord>().ToDictionary(d => d.Claim.Address),
            [.. elements.Select(DepartureRecord.Read).OfType<DepartureRecord>()]);
    }
}

internal static class RecordXml
{
    public static XElement? Parse(string? text)
    {
        try
        {
            return text is null ? null : XElement.Parse(text);
        }
        catch (XmlException)
        {
            return null;
        }
    }

    public static XAttribute Number(string name, long value) => new(name, value.ToString(CultureInfo.InvariantCulture));

    public static long? Number(XElement element, string name) =>
        long.TryParse((string?)element.Attribute(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
}

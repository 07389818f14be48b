using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using ControlPlane.Domain;

namespace ControlPlane.Hypervisor.Libvirt.DomainXml;

/// <summary>
/// The metadata element by which a domain is ours. It lies in the domain itself, so it outlives the control plane, travels with a migration,
/// and is the same for every control plane that looks. A domain without it is not ours and is never touched.
/// </summary>
/// <param name="Ref">The VM, and the newest epoch that was seen for it on this host.</param>
/// <param name="Name">The VM's name; libvirt's own name of the domain is made of the id, for names of VMs repeat across projects.</param>
/// <param name="Definition">What it was defined from, as a digest: a repeated definition is known by it.</param>
/// <param name="Incoming">Defined to receive a migration; its virtual CPUs have never run here.</param>
/// <param name="Created">The target made disks for an incoming migration, which are its to delete if that does not come.</param>
/// <param name="RebootedAt">The epoch that rebooted it last: one operation reboots once.</param>
/// <param name="Teaming">Whether pairs of virtio and virtual function are joined by libvirt's teaming.</param>
internal sealed record DomainMark(
    DomainRef Ref, string Name, string Definition, bool Incoming = false, bool Created = false, long RebootedAt = 0, bool Teaming = true)
{
    public static readonly XNamespace Namespace = "https://controlplane.dev/xmlns/libvirt/vm/1";
    public const string Prefix = "controlplane";
    private const string ElementName = "vm";
    private const string DomainNamePrefix = "cp-";

    /// <summary>libvirt's name of a VM's domain: unique, stable, and safe as part of a path.</summary>
    public static string DomainName(VmId vm) => DomainNamePrefix + vm.Value.ToString("D");

    /// <summary>Whether a domain of that name and UUID is one of ours by its name, which is all that an event tells.</summary>
    public static bool IsOurs(string name, Guid uuid) => name == DomainName(new VmId(uuid));

    /// <summary>Without a namespace, as <c>virDomainSetMetadata</c> wants it: libvirt adds it.</summary>
    public XElement Write() => Write(XNamespace.None);

    /// <summary>As it stands in a domain's description.</summary>
    public XElement WriteQualified()
    {
        var element = Write(Namespace);
        element.Add(new XAttribute(XNamespace.Xmlns + Prefix, Namespace.NamespaceName));
        return element;
    }

    private XElement Write(XNamespace space) => new(space + ElementName,
        new XAttribute("id", Ref.Vm.Value.ToString("D")), new XAttribute("epoch", Number(Ref.Epoch.Value)), new XAttribute("name", CleanText.Clean(Name)),
        new XAttribute("definition", Definition),
        Incoming ? new XAttribute("incoming", "yes") : null, Created ? new XAttribute("created-disks", "yes") : null,
        RebootedAt > 0 ? new XAttribute("rebooted-at", Number(RebootedAt)) : null, Teaming ? null : new XAttribute("teaming", "no"));

    /// <summary>Null when the text is no mark: somebody else's element.</summary>
    public static DomainMark? Parse(string? text)
    {
        if (text is null)
            return null;
        try
        {
            return Read(XElement.Parse(text));
        }
        catch (XmlException)
        {
            return null;
        }
    }

    public static DomainMark? OfDomain(XElement domain) =>
        domain.Element("metadata")?.Element(Namespace + ElementName) is { } element ? Read(element) : null;

    private static DomainMark? Read(XElement element) =>
        element.Name.LocalName == ElementName && Guid.TryParse((string?)element.Attribute("id"), out var id)
        && long.TryParse((string?)element.Attribute("epoch"), NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
            ? new DomainMark(
                new DomainRef(new VmId(id), new Generation(epoch)), (string?)element.Attribute("name") ?? "",
                (string?)element.Attribute("definition") ?? "", Is(element, "incoming"), Is(element, "created-disks"),
                long.TryParse((string?)element.Attribute("rebooted-at"), NumberStyles.None, CultureInfo.InvariantCulture, out var at) ? at : 0,
                (string?)element.Attribute("teaming") != "no")
            : null;

    private static bool Is(XElement element, string name) => (string?)element.Attribute(name) == "yes";

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}

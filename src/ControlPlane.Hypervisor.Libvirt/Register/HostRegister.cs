using System.Xml.Linq;
using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Libvirt.DomainXml;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Register;

/// <summary>
/// What has to be remembered on a host but belongs to no domain: the newest generation seen for each device, and VMs that left. It lies in
/// the metadata of one domain that is never started, for that is the one thing that every libvirt stores durably and lets be read and written
/// over any transport; so it survives the control plane, and every control plane sees the same.
/// </summary>
/// <remarks>
/// Each device and each VM has a metadata element (a namespace) of its own, which libvirt replaces in one step: two control planes that
/// write about different devices never undo each other's. libvirt has no compare-and-set: two that write about one device at once are
/// told apart by reading back. Hosts are leased, so this takes a control plane that does not know that it lost its lease.
/// </remarks>
internal sealed class HostRegister(HostTraits traits)
{
    public const string DomainName = "controlplane-register";
    private static readonly Guid Uuid = new("c0217201-0000-4000-8000-000000000001");

    /// <summary>VMs that left are forgotten, the oldest first, beyond so many and some more: no operation is as old as that.</summary>
    private const int DeparturesMax = 2048;

    /// <summary>After so many that this process has written it looks whether there are too many: looking means to read all of them.</summary>
    private const int CountEvery = 64;

    private readonly Lock gate = new();
    private int uncounted = CountEvery;

    /// <summary>Everything at one look.</summary>
    public RegisterPicture Read(VirConnect connection)
    {
        lock (gate)
        {
            using var domain = connection.FindDomainByUuid(Uuid);
            return domain is null ? RegisterPicture.Empty : RegisterPicture.Read(XElement.Parse(domain.GetXml(VirDomainXmlFlags.Inactive)));
        }
    }

    public DeviceRecord? FindDevice(VirConnect connection, PciAddress address) =>
        DeviceRecord.Parse(Find(connection, DeviceRecord.NamespaceOf(address)));

    public DepartureRecord? FindDeparture(VirConnect connection, VmId vm) =>
        DepartureRecord.Parse(Find(connection, DepartureRecord.NamespaceOf(vm)));

    /// <summary>
    /// Changes what is known of a device. The change is given what is there now, and answers what shall be, or a fault; what was written is
    /// read back, so that of two writers at once only the newer one goes on.
    /// </summary>
    public Outcome<DeviceRecord> ChangeDevice(VirConnect connection, PciAddress address, Func<DeviceRecord?, Outcome<DeviceRecord>> change)
    {
        lock (gate)
        {
            var present = DeviceRecord.Parse(Find(connection, DeviceRecord.NamespaceOf(address)));
            if (!change(present).TryGet(out var wanted, out var fault) || wanted == present)
                return fault is null ? wanted! : fault;
            Set(connection, DeviceRecord.NamespaceOf(address), wanted.Write());
            var written = DeviceRecord.Parse(Find(connection, DeviceRecord.NamespaceOf(address)));
            return written == wanted
                ? wanted
                : Fault.Conflict("stale-generation", $"{address} was taken under generation {written?.Claim.Generation} at the same time.");
        }
    }

    public void Put(VirConnect connection, DepartureRecord departure)
    {
        lock (gate)
        {
            Set(connection, DepartureRecord.NamespaceOf(departure.Ref.Vm), departure.Write());
            if (++uncounted <= CountEvery)
                return;
            uncounted = 0;
            using var domain = connection.FindDomainByUuid(Uuid);
            var known = domain is null ? [] : RegisterPicture.Read(XElement.Parse(domain.GetXml(VirDomainXmlFlags.Inactive))).Departures;
            foreach (var oldest in known.OrderBy(d => d.At).Take(Math.Max(0, known.Count - DeparturesMax)))
                Set(connection, DepartureRecord.NamespaceOf(oldest.Ref.Vm), null);
        }
    }

    public void ForgetDeparture(VirConnect connection, VmId vm)
    {
        lock (gate)
        {
            if (Find(connection, DepartureRecord.NamespaceOf(vm)) is not null)
                Set(connection, DepartureRecord.NamespaceOf(vm), null);
        }
    }

    private static string? Find(VirConnect connection, string space)
    {
        using var domain = connection.FindDomainByUuid(Uuid);
        return domain?.GetMetadata(VirDomainMetadataType.Element, space, VirDomainModificationImpact.Config);
    }

    private void Set(VirConnect connection, string space, XElement? element)
    {
        using var domain = connection.FindDomainByUuid(Uuid) ?? connection.DefineDomain(Blank().ToString(SaveOptions.DisableFormatting));
        domain.SetMetadata(
            VirDomainMetadataType.Element, element?.ToString(SaveOptions.DisableFormatting), DomainMark.Prefix, space, VirDomainModificationImpact.Config);
    }

    private XElement Blank() => new("domain", new XAttribute("type", traits.DomainType),
        new XElement("name", DomainName), new XElement("uuid", Uuid.ToString("D")), new XElement("title", "ControlPlane's register of this host"),
        new XElement("description", "Never started. Holds which generation of each PCI device was handed out last, and which VMs left this host."),
        new XElement("memory", new XAttribute("unit", "MiB"), "1"), new XElement("vcpu", "1"),
        new XElement("os", new XElement("type", new XAttribute("arch", traits.Architecture),
            traits.Machine.Length > 0 ? new XAttribute("machine", traits.Machine) : null, "hvm")));
}

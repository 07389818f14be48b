using System.Xml.Linq;
using ControlPlane.Domain;
using ControlPlane.Hypervisor.Libvirt.DomainXml;
using ControlPlane.Hypervisor.Libvirt.NodeDevices;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Domains;

/// <summary>Devices and interfaces that come and go. Every method blocks; waiting for a guest is not done here.</summary>
internal sealed class PlugCalls(Admission admission)
{
    public Outcome<Done> Plug(VirConnect connection, DomainRef reference, DomainDevice device)
    {
        if (!admission.Find(connection, reference).TryGet(out var known, out var fault))
            return fault;
        using (known)
        {
            var picture = known.Look();
            if (picture.Functions.FirstOrDefault(f => f.Name == device.Name) is { } present)
                return present.Address == device.Claim.Address && present.GuestAddress == device.GuestAddress
                    ? default(Done)
                    : Fault.Conflict("device-name-taken", $"Domain {known.Mark.Name} has another device '{device.Name}', {present.Address}.");
            if (known.State == DomainState.Incoming)
                return Fault.Conflict("domain-incoming", $"Domain {known.Mark.Name} listens for a migration.");
            if (picture.IsTaken(device.GuestAddress))
                return Fault.Conflict("guest-address-taken", $"Something else of {known.Mark.Name} is at {device.GuestAddress}.");
            if (admission.CheckPrepared(connection, reference.Vm, device.Claim) is { } unprepared)
                return unprepared;
            var standby = known.Mark.Teaming && picture.Interfaces.Any(i => i.Standby && i.Name == device.Name) ? device.Name : null;
            try
            {
                Attach(known, DeviceXml.Function(device, standby), StoredHas(known, DeviceAlias.Function(device.Name)));
            }
            catch (LibvirtException e) when (HostUse.Of(e, device.Claim.Address) is { } busy)
            {
                return busy;
            }
            return default(Done);
        }
    }

    /// <summary>Adds an interface, or changes the one of that name.</summary>
    public Outcome<Done> PlugInterface(VirConnect connection, DomainRef reference, DomainInterface nic)
    {
        if (!admission.Find(connection, reference).TryGet(out var known, out var fault))
            return fault;
        using (known)
        {
            var picture = known.Look();
            var present = picture.Interfaces.FirstOrDefault(i => i.Name == nic.Name);
            if (present == nic)
                return default(Done);
            if (present?.GuestAddress != nic.GuestAddress && picture.IsTaken(nic.GuestAddress))
                return Fault.Conflict("guest-address-taken", $"Something else of {known.Mark.Name} is at {nic.GuestAddress}.");
            if (!NetworkLookup.Choose(connection, nic).TryGet(out var network, out fault))
                return fault;
            var xml = DeviceXml.Interface(nic, network, known.Mark.Teaming);
            if (present is null)
                Attach(known, xml, StoredHas(known, DeviceAlias.Of(nic, known.Mark.Teaming)));
            else
                Update(known, xml);
            return default(Done);
        }
    }

    public Outcome<Done> SetLink(VirConnect connection, DomainRef reference, string name, bool up)
    {
        if (!admission.Find(connection, reference).TryGet(out var known, out var fault))
            return fault;
        using (known)
        {
            var present = known.Look().Interfaces.FirstOrDefault(i => i.Name == name);
            if (present is null)
                return Fault.NotFound("interface", name);
            if (present.LinkUp == up)
                return default(Done);
            if (!NetworkLookup.Choose(connection, present).TryGet(out var network, out fault))
                return fault;
            Update(known, DeviceXml.Interface(present with { LinkUp = up }, network, known.Mark.Teaming));
            return default(Done);
        }
    }

    /// <summary>
    /// Asks the guest to let a device go, or takes it away at once where nothing runs. True when it is out of the domain already; otherwise the
    /// event or another look tells.
    /// </summary>
    public Outcome<bool> AskToUnplug(VirConnect connection, DomainRef reference, string alias)
    {
        if (!admission.Find(connection, reference).TryGet(out var known, out var fault))
            return fault;
        using (known)
        {
            if (known.IsActive && DeviceOf(known, alias, VirDomainXmlFlags.None) is not null)
            {
                Ask(known.Handle, alias);
                return false;
            }
            Unstore(known, alias);
            return true;
        }
    }

    /// <summary>Whether the running domain still has it; once it has not, the stored definition loses it too.</summary>
    public Outcome<bool> IsGone(VirConnect connection, VmId vm, string alias)
    {
        using var known = KnownDomain.Find(connection, vm);
        if (known is null)
            return true;
        if (known.IsActive && DeviceOf(known, alias, VirDomainXmlFlags.None) is not null)
            return false;
        Unstore(known, alias);
        return true;
    }

    private static void Ask(VirDomain domain, string alias)
    {
        try
        {
            domain.DetachDeviceByAlias(alias, VirDomainDeviceModifyFlags.Live);
        }
        catch (LibvirtException e) when (e.Code is VirErrorNumber.DeviceMissing
            || e.Message.Contains("already in the process of unplug", StringComparison.Ordinal))
        {
            // It went in between, or the guest was asked before and has not answered yet.
        }
    }

    /// <summary>Into what runs first: if that is refused the stored definition stays as it was.</summary>
    private static void Attach(KnownDomain known, XElement device, bool isStored)
    {
        var text = device.ToString(SaveOptions.DisableFormatting);
        if (known.IsActive)
            known.Handle.AttachDevice(text, VirDomainDeviceModifyFlags.Live);
        if (known.Handle.IsPersistent() && !isStored)
            known.Handle.AttachDevice(text, VirDomainDeviceModifyFlags.Config);
    }

    private static void Update(KnownDomain known, XElement device)
    {
        var text = device.ToString(SaveOptions.DisableFormatting);
        if (known.IsActive)
            known.Handle.UpdateDevice(text, VirDomainDeviceModifyFlags.Live);
        if (known.Handle.IsPersistent())
            known.Handle.UpdateDevice(text, VirDomainDeviceModifyFlags.Config);
    }

    private static bool StoredHas(KnownDomain known, string alias) => DeviceOf(known, alias, VirDomainXmlFlags.Inactive) is not null;

    private static void Unstore(KnownDomain known, string alias)
    {
        if (known.Handle.IsPersistent() && DeviceOf(known, alias, VirDomainXmlFlags.Inactive) is { } stored)
            known.Handle.DetachDevice(stored.ToString(SaveOptions.DisableFormatting), VirDomainDeviceModifyFlags.Config);
    }

    private static XElement? DeviceOf(KnownDomain known, string alias, VirDomainXmlFlags flags) =>
        XElement.Parse(known.Handle.GetXml(flags)).Element("devices")?.Elements().FirstOrDefault(d => DomainXmlReader.AliasOf(d) == alias);
}

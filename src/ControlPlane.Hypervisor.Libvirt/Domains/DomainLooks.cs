using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Libvirt.DomainXml;
using ControlPlane.Hypervisor.Libvirt.Register;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Domains;

/// <summary>Our domains on a host, as they are now.</summary>
internal sealed class DomainLooks(HostRegister register)
{
    public Outcome<IReadOnlyList<DomainStatus>> List(VirConnect connection)
    {
        var devices = register.Read(connection).Devices;
        var statuses = new List<DomainStatus>();
        foreach (var domain in connection.ListAllDomains())
        {
            using (domain)
            {
                if (Look(domain, devices) is { } status)
                    statuses.Add(status);
            }
        }
        return statuses;
    }

    public Outcome<DomainStatus?> Find(VirConnect connection, VmId vm)
    {
        using var domain = connection.FindDomainByUuid(vm.Value);
        return domain is null ? (DomainStatus?)null : Look(domain, register.Read(connection).Devices);
    }

    /// <summary>Null for one that is not ours, or that went while it was looked at.</summary>
    private static DomainStatus? Look(VirDomain domain, IReadOnlyDictionary<PciAddress, DeviceRecord> devices)
    {
        try
        {
            if (KnownDomain.MarkOf(domain) is not { } mark)
                return null;
            var state = KnownDomain.StateOf(domain, mark);
            var picture = DomainXmlReader.Read(domain.GetXml());
            return new DomainStatus(
                mark.Ref, mark.Name, state, [.. picture.Functions.Select(f => Plugged(f, devices)).OfType<PluggedDevice>()], picture.Interfaces);
        }
        catch (LibvirtException e) when (e.Code == VirErrorNumber.NoDomain)
        {
            return null;
        }
    }

    /// <summary>
    /// A function that somebody else put into our domain is shown by its address, under no generation of ours: an auditor must see it.
    /// </summary>
    private static PluggedDevice? Plugged(FunctionInDomain function, IReadOnlyDictionary<PciAddress, DeviceRecord> devices) =>
        function.GuestAddress is { } at
            ? new PluggedDevice(
                function.Name ?? function.Address.ToString(), devices.GetValueOrDefault(function.Address)?.Claim ?? new DeviceClaim(function.Address, Generation.None), at, function.Mac)
            : null;
}

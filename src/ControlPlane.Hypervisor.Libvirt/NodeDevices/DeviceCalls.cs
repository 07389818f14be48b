using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Libvirt.Connections;
using ControlPlane.Hypervisor.Libvirt.DomainXml;
using ControlPlane.Hypervisor.Libvirt.Register;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.NodeDevices;

/// <summary>Functions between owners: bound for a guest, and proven clean after it. Every method blocks.</summary>
/// <param name="shell">What libvirt has no call for is done through it; null: there is none on this host.</param>
internal sealed class DeviceCalls(HostRegister register, Func<HostShell?> shell)
{
    public Outcome<Done> Prepare(VirConnect connection, DeviceClaim claim, VmId owner, DeviceSettings settings)
    {
        if (NodeDeviceLook.Find(connection, claim.Address) is not { } function)
            return Fault.NotFound("pci-device", claim.Address.ToString());
        if (!function.IsEndpoint)
            return Fault.Impossible("not-an-endpoint", $"{claim.Address} is a bridge.");
        if (CheckSettings(function, settings) is { } impossible)
            return impossible;
        var holders = Holders(connection);
        if (function.VirtualFunctions.Where(holders.ContainsKey).Select(f => (PciAddress?)f).FirstOrDefault() is { } used)
            return Fault.Conflict("vf-in-use", $"{claim.Address} has a virtual function in use: {used} by {holders[used]}.");

        // Remembered before it is done: whoever comes late is refused from here on, and what a crash leaves half done is found.
        var changed = register.ChangeDevice(connection, claim.Address, present => Take(present, claim, owner, settings, function.Driver, holders));
        if (!changed.TryGet(out _, out var fault))
            return fault;
        return holders.ContainsKey(claim.Address) ? default(Done) : Bind(connection, function, settings);
    }

    /// <summary>
    /// libvirt is asked also when the VFIO driver is bound already: it knows of users that no description of a domain shows. MAC and VLAN are
    /// libvirt's to set when the function is opened.
    /// </summary>
    private Outcome<Done> Bind(VirConnect connection, NodeFunction function, DeviceSettings settings)
    {
        var root = shell();
        if (HostUse.Find(root, function.Address) is { } taken)
            return taken;
        try
        {
            using var device = connection.LookupNodeDeviceByName(NodeDeviceLook.NameOf(function.Address));
            device.Detach("vfio");
        }
        catch (LibvirtException e) when (HostUse.Of(e, function.Address) is { } busy)
        {
            return busy;
        }
        return function.PhysicalFunction is { } physical && root is not null && settings != DeviceSettings.None
            && new PhysicalSide(root).Write(physical, function.Address, settings) is { } refused ? refused : default(Done);
    }

    /// <summary>What the register is to say once this claim holds the device.</summary>
    private static Outcome<DeviceRecord> Take(
        DeviceRecord? present, DeviceClaim claim, VmId owner, DeviceSettings settings, string? driver, IReadOnlyDictionary<PciAddress, string> holders)
    {
        if (present is not null && present.Claim.Generation > claim.Generation)
            return DeviceRecord.Stale(claim, present.Claim.Generation);
        if (present is not null && present.Claim.Generation == claim.Generation)
        {
            if (present.Cleaned)
                return Fault.Conflict("stale-generation", $"{claim.Address} was cleaned under generation {claim.Generation} already.");
            if (present.Owner is { } other && other != owner)
                return Fault.Conflict("device-owned", $"{claim.Address} is prepared for VM {other} at generation {claim.Generation}.");
            return present with { Owner = owner, Settings = settings };
        }
        if (holders.TryGetValue(claim.Address, out var holder))
            return Fault.Conflict("device-busy", $"{claim.Address} is still held open by {holder}.");
        var before = driver == NodeDeviceLook.Vfio ? present?.DriverBefore : driver;
        return new DeviceRecord(claim, owner, settings, before, Cleaned: false);
    }

    /// <summary>libvirt's own way to set up a virtual function knows MAC and VLAN; the rest only the host's <c>ip link</c> can set.</summary>
    private Fault? CheckSettings(NodeFunction function, DeviceSettings settings)
    {
        if (settings == DeviceSettings.None)
            return null;
        if (function.PhysicalFunction is not { } physical)
            return Fault.Impossible("no-settings", $"{function.Address} is no virtual function: nothing enforces settings for it.");
        return settings with { Mac = null, Vlan = null, Network = null } == DeviceSettings.None || shell() is not null
            ? null
            : Fault.Impossible("settings-not-offered",
                $"libvirt sets a virtual function's MAC and VLAN, not its trust, spoof check and rates. On the host, find the interface in /sys/bus/pci/devices/{physical}/net and run: ip link set dev INTERFACE vf N trust {(settings.Trust ? "on" : "off")} spoofchk {(settings.SpoofCheck ? "on" : "off")} min_tx_rate {settings.MinTxRateMbps} max_tx_rate {settings.MaxTxRateMbps}");
    }

    /// <summary>Null when it may be cleaned under this claim; the register then says that it is being cleaned for nobody.</summary>
    public Outcome<DeviceRecord> BeginClean(VirConnect connection, DeviceClaim claim)
    {
        if (NodeDeviceLook.Find(connection, claim.Address) is not { } function)
            return Fault.NotFound("pci-device", claim.Address.ToString());
        return register.ChangeDevice(connection, claim.Address, present =>
            present is null ? new DeviceRecord(claim, null, DeviceSettings.None, DriverBeforeOf(function), Cleaned: false)
            : present.Claim.Generation > claim.Generation ? DeviceRecord.Stale(claim, present.Claim.Generation)
            : present with { Claim = claim });
    }

    /// <summary>
    /// Resets, takes the last owner's settings away, gives back to the host's driver and looks. Without a shell libvirt is asked for the reset: a
    /// function bound to vfio-pci was reset when the VMM closed it, and is again when it is opened (<c>vfio_pci_core_disable</c>), so libvirt
    /// does nothing; one with the host's driver it resets itself.
    /// </summary>
    public Outcome<CleanProof> Clean(VirConnect connection, DeviceRecord record, ResetMethod? reset)
    {
        var address = record.Claim.Address;
        var root = shell();
        var resetError = record.Cleaned ? null : Reset(connection, root, address);
        // A device that failed its reset is kept from the host's drivers.
        var isGivenBack = resetError is null && reset is not null;
        if (isGivenBack && record.DriverBefore != NodeDeviceLook.Vfio && NodeDeviceLook.DriverOf(connection, address) == NodeDeviceLook.Vfio)
        {
            using var device = connection.LookupNodeDeviceByName(NodeDeviceLook.NameOf(address));
            device.Reattach();
        }
        if (!ReadBack(connection, root, record).TryGet(out var readBack, out var unread))
            return unread;
        var proof = new CleanProof(
            VmmClosed: true, reset, resetError, readBack, NodeDeviceLook.DriverOf(connection, address), isGivenBack ? record.DriverBefore : NodeDeviceLook.Vfio);
        var kept = register.ChangeDevice(connection, address, present =>
            present?.Claim.Generation > record.Claim.Generation ? DeviceRecord.Stale(record.Claim, present.Claim.Generation)
            : record with { Owner = null, Cleaned = proof.Failing() is null, Settings = proof.Failing() is null ? DeviceSettings.None : record.Settings });
        return kept.Map(_ => proof);
    }

    /// <summary>Why it failed; null: it did not.</summary>
    private static string? Reset(VirConnect connection, HostShell? root, PciAddress address)
    {
        if (root is not null)
            return new PhysicalSide(root).Reset(address);
        try
        {
            using var device = connection.LookupNodeDeviceByName(NodeDeviceLook.NameOf(address));
            device.Reset();
            return null;
        }
        catch (LibvirtException e) when (!e.IsConnectionLost)
        {
            return $"libvirt: {e.Message}";
        }
    }

    /// <summary>
    /// libvirt restores MAC and VLAN itself when the VMM closes the function, and shows of it what the host's driver then sees: the MAC. All of
    /// it is read, and what is left is taken away, through the physical function, where there is a shell.
    /// </summary>
    private static Outcome<DeviceSettings> ReadBack(VirConnect connection, HostShell? root, DeviceRecord record)
    {
        if (root is not null && NodeDeviceLook.Find(connection, record.Claim.Address)?.PhysicalFunction is { } physical)
            return new PhysicalSide(root).Clear(physical, record.Claim.Address, record.Settings);
        return record.Settings.Mac is { } mac
            && string.Equals(NodeDeviceLook.NetworkAddressOf(connection, record.Claim.Address), mac.ToString(), StringComparison.OrdinalIgnoreCase)
                ? DeviceSettings.None with { Mac = mac }
                : DeviceSettings.None;
    }

    public Outcome<IReadOnlyList<DeviceStatus>> List(VirConnect connection)
    {
        var holders = Holders(connection);
        return register.Read(connection).Devices.Values
            .Where(d => !d.Cleaned)
            .Select(d => new DeviceStatus(
                d.Claim, d.Owner, NodeDeviceLook.DriverOf(connection, d.Claim.Address), d.Settings, holders.ContainsKey(d.Claim.Address)))
            .OrderBy(d => d.Claim.Address).ToArray();
    }

    /// <summary>Who has which function open: every running domain counts, also those that are not ours.</summary>
    public static IReadOnlyDictionary<PciAddress, string> Holders(VirConnect connection)
    {
        var holders = new Dictionary<PciAddress, string>();
        foreach (var domain in connection.ListAllDomains(VirConnectListAllDomainsFlags.Active))
        {
            using (domain)
            {
                if (XmlOf(domain) is { } xml)
                {
                    foreach (var function in DomainXmlReader.Read(xml).Functions)
                        holders[function.Address] = $"domain {domain.Name}";
                }
            }
        }
        return holders;
    }

    private static string? XmlOf(VirDomain domain)
    {
        try
        {
            return domain.GetXml();
        }
        catch (LibvirtException e) when (e.Code == VirErrorNumber.NoDomain)
        {
            return null; // It ended between the list and the look, and holds nothing any more.
        }
    }

    private static string? DriverBeforeOf(NodeFunction function) => function.Driver == NodeDeviceLook.Vfio ? null : function.Driver;
}

using ControlPlane.Domain;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Connections;

/// <summary>The versions that a host has and this machine's library has.</summary>
/// <param name="Qemu">Null: the host does not say, for one because it has none.</param>
internal sealed record LibvirtVersions(VirVersion Library, VirVersion Daemon, VirVersion? Qemu)
{
    /// <summary>What of libvirt this backend uses and older ones have not, as their documentation dates it ("Since").</summary>
    private static readonly (VirVersion Since, string What)[] Features =
    [
        (new(2, 2, 0), "events of node devices"),
        (new(3, 2, 0), "encrypted migration (VIR_MIGRATE_TLS)"),
        (new(4, 4, 0), "unplugging by alias (virDomainDetachDeviceAlias)"),
        (new(6, 1, 0), "failover pairs (<teaming>)"),
        (new(6, 8, 0), "an address for disks that travel along (VIR_MIGRATE_PARAM_DISKS_URI)"),
        (new(8, 5, 0), "continuing a post-copy migration that broke (VIR_MIGRATE_POSTCOPY_RESUME)"),
    ];

    public static LibvirtVersions Of(VirConnect connection) => new(connection.LibraryVersion, connection.GetDaemonVersion(), QemuOf(connection));

    /// <summary>Null when all are new enough; otherwise which is not, what it has not, and what mends it.</summary>
    public Fault? Check(string uri, LibvirtOptions oldest)
    {
        if (Daemon < oldest.OldestLibvirt)
            return TooOld($"libvirt of {uri}", Daemon, oldest.OldestLibvirt, Missing(Daemon), "Update libvirt on that host.");
        if (Library < oldest.OldestLibvirt)
            return TooOld("libvirt's client library on the machine of this server", Library, oldest.OldestLibvirt, Missing(Library), "Update libvirt0 there.");
        return Qemu is { } qemu && qemu < oldest.OldestQemu
            ? TooOld($"QEMU of {uri}", qemu, oldest.OldestQemu, " It has no hot-plug of PCI Express root ports by ACPI.", "Update qemu-system-x86 on that host.")
            : null;
    }

    private static string Missing(VirVersion version)
    {
        var missing = Features.Where(f => version < f.Since).Select(f => $"{f.What}, since {f.Since}").ToList();
        return missing.Count == 0 ? "" : $" It has not: {string.Join("; ", missing)}.";
    }

    private static Fault TooOld(string whose, VirVersion has, VirVersion needed, string missing, string remedy) =>
        Fault.Impossible("libvirt-too-old", $"The {whose} is {has}; {needed} or newer is needed.{missing} {remedy}");

    private static VirVersion? QemuOf(VirConnect connection)
    {
        try
        {
            return connection.GetHypervisorVersion();
        }
        catch (LibvirtException e) when (!e.IsConnectionLost)
        {
            // No emulator: that is said when a guest is to run.
            return null;
        }
    }
}

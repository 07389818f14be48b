using System.Runtime.InteropServices;

namespace ControlPlane.Dev.Prerequisites;

/// <summary>A program that something here needs, and Debian's package that has it.</summary>
internal sealed record Requirement(string Name, string Package, Func<Machine, bool> IsPresentOn)
{
    public static readonly Requirement Postgres = new("PostgreSQL", "postgresql", machine =>
        machine.Find("postgres") is not null
        || (Directory.Exists(machine.PostgresDirectory)
            && Directory.EnumerateDirectories(machine.PostgresDirectory).Any(version => File.Exists(Path.Combine(version, "bin", "postgres")))));

    /// <summary>libvirt's client library, which LibvirtSharp loads.</summary>
    public static readonly Requirement Libvirt = new("libvirt's client library", "libvirt0", machine => NativeLibrary.TryLoad("libvirt.so.0", out _));

    /// <summary>
    /// The daemon, off the PATH of users; rigs and tests run their own. Without the package around it, which starts one for the machine.
    /// </summary>
    public static readonly Requirement Libvirtd = new(
        "libvirtd", "libvirt-daemon", machine => machine.Find("libvirtd") is not null || machine.HasFile("usr/sbin/libvirtd"));

    public static readonly Requirement LibvirtQemu = new("libvirt's QEMU driver", "libvirt-daemon-driver-qemu",
        machine => machine.HasFile("usr/lib/*/libvirt/connection-driver/libvirt_driver_qemu.so"));

    public static readonly Requirement Qemu = OnPath("qemu-system-x86_64", "qemu-system-x86");

    /// <summary>The client and its key maker; libvirt's client runs it for qemu+ssh.</summary>
    public static readonly Requirement Ssh = OnPath("ssh", "openssh-client");

    public static readonly Requirement Jq = OnPath("jq", "jq");

    public static readonly Requirement Curl = OnPath("curl", "curl");

    public static readonly Requirement Npx = OnPath("npx", "npm");

    /// <summary>What the two-hosts rig runs and is made with.</summary>
    public static readonly IReadOnlyList<Requirement> TwoHosts =
        [Libvirtd, LibvirtQemu, OnPath("virsh", "libvirt-clients"), Qemu, OnPath("qemu-img", "qemu-utils"), OnPath("ip", "iproute2"), Ssh];

    /// <summary>What the rig with nested hosts is made with; what runs in it, it brings along.</summary>
    public static readonly IReadOnlyList<Requirement> Sriov =
    [
        Libvirt, OnPath("virsh", "libvirt-clients"), OnPath("xz", "xz-utils"), OnPath("zstd", "zstd"),
        new("debootstrap", "debootstrap", machine => machine.Find("debootstrap") is not null || machine.HasFile("usr/sbin/debootstrap")),
    ];

    /// <summary>What the tests need.</summary>
    public static readonly IReadOnlyList<Requirement> OfTests = [Postgres, Libvirt, .. TwoHosts];

    private static Requirement OnPath(string program, string package) => new(program, package, machine => machine.Find(program) is not null);
}

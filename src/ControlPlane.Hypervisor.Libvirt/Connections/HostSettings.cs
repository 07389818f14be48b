using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;

namespace ControlPlane.Hypervisor.Libvirt.Connections;

/// <summary>What an operator may say of a libvirt host: its URI, and in its labels what the URI cannot say.</summary>
/// <param name="DiskPool">Label <c>libvirt-disk-pool</c>: the storage pool that VMs' disks are made in; <c>default</c>.</param>
/// <param name="ImagePool">Label <c>libvirt-image-pool</c>: where images lie; the disk pool when it is not said.</param>
/// <param name="MigrationUri">Label <c>libvirt-migration-uri</c>: where other hosts send a guest's memory, such as <c>tcp://10.0.0.2</c>; the URI's host when it is not said.</param>
/// <param name="PeerUri">Label <c>libvirt-peer-uri</c>: this host's libvirt as other hosts reach it; the host's own URI when it is not said.</param>
/// <param name="PeerToPeer">Label <c>libvirt-migration</c>: <c>peer-to-peer</c> (the source's daemon speaks with the target's, and a migration outlives the control plane) or <c>direct</c>.</param>
/// <param name="Tls">Label <c>libvirt-migration-tls</c>: whether the guest's memory travels encrypted; as the connection itself when it is not said.</param>
/// <param name="DomainType">Label <c>libvirt-domain-type</c>: <c>qemu</c> emulates the processor also where the host offers a KVM, for one that does not work; null: KVM where there is one.</param>
internal sealed record HostSettings(
    string Uri, string DiskPool, string ImagePool, Uri? MigrationUri, string PeerUri, bool PeerToPeer, bool Tls, string? DomainType)
{
    public const string UsualPool = "default";

    private static readonly (string Label, string[] Allowed)[] Choices =
    [
        ("libvirt-migration", ["peer-to-peer", "direct"]), ("libvirt-migration-tls", ["true", "false"]), ("libvirt-domain-type", ["qemu"]),
    ];

    /// <summary>True for a daemon on this machine: its sysfs is ours.</summary>
    public bool IsLocal => new Uri(Uri).Host.Length == 0;

    public static Outcome<HostSettings> Of(Host host)
    {
        if (host.Backend is not { Kind: BackendKind.Libvirt, Uri: { Length: > 0 } text })
            return Fault.Impossible("backend-unknown", $"Host {host.Name} is no libvirt host.");
        if (LibvirtUri.Check(text) is { } wrong)
            return Fault.Impossible("backend-uri", $"Host {host.Name}: {wrong}");
        var uri = new Uri(text);
        var transport = LibvirtUri.TransportOf(uri);
        string? Label(string name) => host.Labels.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;
        if (WrongLabel(Label) is { } wrongLabel)
            return Fault.Impossible("backend-label", $"Host {host.Name}: {wrongLabel}");
        var migration = Label("libvirt-migration-uri") ?? (uri.Host.Length > 0 ? $"tcp://{uri.Host}" : null);
        var pool = Label("libvirt-disk-pool") ?? UsualPool;
        return new HostSettings(
            text, pool, Label("libvirt-image-pool") ?? pool, migration is null ? null : new Uri(migration), Label("libvirt-peer-uri") ?? text,
            Label("libvirt-migration") is { } path ? path == "peer-to-peer" : transport is not "ssh",
            Label("libvirt-migration-tls") is { } tls ? tls == "true" : transport is "tls",
            Label("libvirt-domain-type"));
    }

    /// <summary>What is wrong, with the fix; null: nothing. A mistyped <c>true</c> must not send a guest's memory unencrypted.</summary>
    private static string? WrongLabel(Func<string, string?> label)
    {
        foreach (var (name, allowed) in Choices)
        {
            if (label(name) is { } value && !allowed.Contains(value))
                return $"label {name} is '{value}'; it should be {string.Join(" or ", allowed.Select(a => $"'{a}'"))}.";
        }
        if (label("libvirt-migration-uri") is { } migration
            && !(System.Uri.TryCreate(migration, UriKind.Absolute, out var uri) && uri is { Scheme: "tcp" or "rdma", Host.Length: > 0, UserInfo.Length: 0 }))
            return $"label libvirt-migration-uri is '{migration}'; it should be like tcp://10.0.0.2 or tcp://[fd00::2]:49152.";
        return label("libvirt-peer-uri") is { } peer && (LibvirtUri.Check(peer) ?? LibvirtUri.CheckPrograms(peer)) is { } wrong ? $"label libvirt-peer-uri: {wrong}" : null;
    }
}

/// <summary>URIs that this backend takes.</summary>
public static class LibvirtUri
{
    private static readonly string[] Transports = ["unix", "tcp", "tls", "ssh"];

    /// <summary>Null when the URI can be one of a QEMU host's libvirt; otherwise what is wrong with it.</summary>
    public static string? Check(string? text)
    {
        const string Shape = "it should be like qemu+tls://HOST/system, qemu+ssh://USER@HOST/system or qemu:///system.";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri))
            return $"'{text}' is no URI; {Shape}";
        var scheme = uri.Scheme.Split('+', 2);
        if (scheme[0] != "qemu")
            return $"'{text}' is not for the QEMU driver; {Shape}";
        if (scheme is [_, "libssh" or "libssh2"])
            return $"'{scheme[1]}' runs SSH inside this server, and with libvirt 9.0 crashes it; use qemu+ssh, which runs the ssh program.";
        if (scheme.Length == 2 && !Transports.Contains(scheme[1]))
            return $"'{scheme[1]}' is none of the transports ({string.Join(", ", Transports)}).";
        if (uri.AbsolutePath is not ("/system" or "/session"))
            return $"'{text}' names neither /system nor /session; {Shape}";
        return uri.Fragment.Length > 0 ? "it must not have a fragment." : null;
    }

    /// <summary>
    /// Null when nothing in the URI names a program. libvirt runs what <c>command</c> names in place of ssh, as the user of whoever opens the URI; it takes
    /// names of parameters in any case, and escaped.
    /// </summary>
    internal static string? CheckPrograms(string text) =>
        Parameters(new Uri(text)).Any(p => p.Name.Trim().Equals("command", StringComparison.OrdinalIgnoreCase))
            ? "command= names a program that would be run in place of ssh; leave it out, and put what ssh is to be told into the server user's ~/.ssh/config."
            : null;

    /// <summary>A parameter of the URI's query, such as <c>pkipath</c>; null when it does not have it.</summary>
    internal static string? Parameter(Uri uri, string name) =>
        Parameters(uri).FirstOrDefault(p => p.Name == name && p.Value is not null).Value;

    /// <summary>The query's parameters as libvirt takes it apart (<c>virURIParseParams</c>); the value is null where there is no equals sign.</summary>
    private static IEnumerable<(string Name, string? Value)> Parameters(Uri uri) =>
        from part in uri.Query.TrimStart('?').Split('&', ';')
        let words = part.Split('=', 2)
        select (Uri.UnescapeDataString(words[0]), words.Length == 2 ? Uri.UnescapeDataString(words[1]) : null);

    /// <summary>How the client reaches the daemon: with a host and nothing else said, libvirt uses TLS.</summary>
    internal static string TransportOf(Uri uri) =>
        uri.Scheme.Split('+', 2) is [_, var transport] ? transport : uri.Host.Length > 0 ? "tls" : "unix";
}

using System.Net;
using ControlPlane.Lab.Guests;
using ControlPlane.Lab.Processes;

namespace ControlPlane.Lab.Hosts;

/// <summary>One of the rig's hosts: a libvirtd with a name, an address, certificates and state of its own.</summary>
public sealed class LabHost
{
    private const string PidFile = "/run/libvirt/libvirtd.pid";

    /// <summary>A first start asks QEMU what it can do, for each of its machines; on a busy machine that takes long.</summary>
    private static readonly TimeSpan ReadyDeadline = TimeSpan.FromMinutes(3);

    private static readonly TimeSpan EndDeadline = TimeSpan.FromSeconds(30);

    private readonly string clientPki;

    internal LabHost(string directory, string name, IPAddress address, HostNamespaces namespaces, string clientPki) =>
        (Directory, Name, Address, Namespaces, this.clientPki) = (directory, name, address, namespaces, clientPki);

    /// <summary>Also its hostname, by which the other host knows it.</summary>
    public string Name { get; }

    /// <summary>Reached from the machine and from the other host, over different wires.</summary>
    public IPAddress Address { get; }

    /// <summary>Where the host's logs and sockets are, seen from the machine.</summary>
    public string Directory { get; }

    /// <summary>Over the daemon's socket, without any network.</summary>
    public string UnixUri => $"qemu+unix:///system?socket={Directory}/run/libvirt-sock";

    public string TcpUri => $"qemu+tcp://{Address}/system";

    /// <summary>With a client certificate that the host accepts.</summary>
    public string TlsUri => $"qemu+tls://{Address}/system?pkipath={clientPki}";

    /// <summary>How the other host reaches this one in a peer-to-peer migration, over TCP.</summary>
    public string PeerTcpUri => $"qemu+tcp://{Name}/system";

    /// <summary>How the other host reaches this one in a peer-to-peer migration, over TLS with its own certificate.</summary>
    public string PeerTlsUri => $"qemu+tls://{Name}/system";

    public string DaemonLog => Path.Combine(Directory, "log", "libvirtd.log");

    /// <summary>The volumes of the storage pool <c>default</c>.</summary>
    public string ImageDirectory => Path.Combine(Directory, "lib", "images");

    internal HostNamespaces Namespaces { get; }

    public GuestConsole Console(string guest) => new(Path.Combine(Directory, "log", $"{guest}.console"));

    /// <summary>Runs a program inside the host: its network, its processes, its /etc.</summary>
    public Task<ShellResult> ExecuteAsync(IReadOnlyList<string> command, CancellationToken ct) => Shell.RunAsync([.. Namespaces.Enter, .. command], ct);

    /// <summary>Runs virsh on the machine, connected to this host's daemon by its socket.</summary>
    public Task<ShellResult> VirshAsync(IReadOnlyList<string> arguments, CancellationToken ct) => Shell.RunAsync(["virsh", "-q", "-c", UnixUri, .. arguments], ct);

    /// <summary>The output of a virsh that must succeed.</summary>
    /// <exception cref="LabException">It did not; the message holds what it wrote.</exception>
    public Task<string> RequireVirshAsync(IReadOnlyList<string> arguments, CancellationToken ct) => Shell.RequireAsync(["virsh", "-q", "-c", UnixUri, .. arguments], ct);

    /// <summary>Defines a guest and starts it; it is booting when this returns.</summary>
    public async Task StartGuestAsync(GuestSpec guest, GuestImage image, CancellationToken ct)
    {
        var file = Path.Combine(Directory, $"{guest.Name}.xml");
        await File.WriteAllTextAsync(file, guest.ToXml(image), ct);
        await RequireVirshAsync(["define", file], ct);
        await RequireVirshAsync(["start", guest.Name], ct);
    }

    /// <summary>
    /// From now on keeps what a running domain writes to its console, for domains without a log of their own: its first serial port
    /// is a terminal that nobody reads. Ends with the domain on this host; again after it moved.
    /// </summary>
    public async Task RecordConsoleAsync(string domain, CancellationToken ct)
    {
        var terminal = (await RequireVirshAsync(["ttyconsole", domain], ct)).Trim();
        const string Script = "setsid cat \"$1\" >> \"$2\" 2> /dev/null < /dev/null &";
        await ExecuteAsync(["bash", "-c", Script, "record", terminal, Console(domain).File], ct);
    }

    /// <summary>Whether the daemon's process is there.</summary>
    public async Task<bool> IsDaemonAliveAsync(CancellationToken ct) =>
        (await ExecuteAsync(["bash", "-c", $"kill -0 \"$(cat {PidFile})\""], ct)).Succeeded;

    /// <summary>Whether the daemon answers.</summary>
    public async Task<bool> IsReadyAsync(CancellationToken ct) => (await VirshAsync(["hostname"], ct)).Succeeded;

    /// <summary>SIGKILL to the daemon alone: its guests run on, as after a crash of libvirtd.</summary>
    public Task KillDaemonAsync(CancellationToken ct) => EndDaemonAsync("KILL", ct);

    /// <summary>Starts the daemon, which finds the guests again that run, and waits until it answers; nothing to start when it is alive.</summary>
    public async Task StartDaemonAsync(CancellationToken ct)
    {
        if (!await IsDaemonAliveAsync(ct))
        {
            var started = await ExecuteAsync(["libvirtd", "--daemon", "--listen", "--pid-file", PidFile], ct);
            if (!started.Succeeded)
                throw new LabException($"libvirtd of {Name} does not start: {started.Output.Trim()}; see {DaemonLog}");
        }

        var last = "";
        await Until.SomethingAsync(ReadyDeadline, async () =>
        {
            var answer = await VirshAsync(["hostname"], ct);
            last = answer.Output.Trim();
            return answer.Succeeded ? this : null;
        }, () => $"libvirtd of {Name} does not answer: {last}; see {DaemonLog}", ct);
    }

    /// <summary>
    /// Daemon and guests end at once, as when a host loses its power, and what a reboot forgets is forgotten; disks and definitions stay.
    /// <see cref="StartDaemonAsync"/> is the next boot.
    /// </summary>
    public async Task CutPowerAsync(CancellationToken ct)
    {
        // libvirt ends its number without a newline.
        const string Pids = "$(for file in /run/libvirt/libvirtd.pid /run/libvirt/qemu/*.pid; do echo \"$(cat \"$file\")\"; done 2> /dev/null)";
        await ExecuteAsync(["bash", "-c", $"kill -KILL {Pids}"], ct);
        await Until.SomethingAsync(EndDeadline, async () => (await ExecuteAsync(["bash", "-c", $"kill -0 {Pids}"], ct)).Succeeded ? null : this,
            () => $"daemon and guests of {Name} do not end", ct);
        await ExecuteAsync(["bash", "-c", "rm -rf /run/libvirt/libvirtd.pid /run/libvirt/qemu/*"], ct);
    }

    /// <summary>Kills the daemon and starts it again; its guests run on.</summary>
    public async Task RestartDaemonAsync(CancellationToken ct)
    {
        await KillDaemonAsync(ct);
        await StartDaemonAsync(ct);
    }

    private async Task EndDaemonAsync(string signal, CancellationToken ct)
    {
        await ExecuteAsync(["bash", "-c", $"kill -{signal} \"$(cat {PidFile})\""], ct);
        await Until.SomethingAsync(EndDeadline, async () => await IsDaemonAliveAsync(ct) ? null : this, () => $"libvirtd of {Name} does not end", ct);
    }
}

using System.Net.Sockets;
using ControlPlane.Lab.Processes;

namespace ControlPlane.Lab.Hosts;

/// <summary>
/// An OpenSSH server inside a host of the rig, on a port of its own, with a host key and a key for root that are made with it. It ends with the
/// host at the latest.
/// </summary>
public sealed class SshServer : IAsyncDisposable
{
    private const int Port = 2222;

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    /// <summary>The server, and those of its libraries that nothing else of a rig brings along.</summary>
    private static readonly string[] Packages = ["openssh-server", "libwrap0", "libnsl2"];

    private readonly LabHost host;
    private readonly string directory;

    private SshServer(LabHost host, string directory) => (this.host, this.directory) = (host, directory);

    /// <summary>A private key that the server takes from root.</summary>
    public string KeyFile => Path.Combine(directory, "root");

    /// <summary>A private key that it does not.</summary>
    public string StrangersKeyFile => Path.Combine(directory, "stranger");

    /// <summary>The server's own key, as a client's file of known hosts.</summary>
    public string KnownHostsFile => Path.Combine(directory, "known_hosts");

    /// <summary>Another key in the server's name, as when somebody stands in between.</summary>
    public string ForgedHostsFile => Path.Combine(directory, "forged_hosts");

    public string LogFile => Path.Combine(directory, "sshd.log");

    /// <summary>What stands before the path of a libvirt URI after the transport: <c>qemu+ssh://{Authority}/system</c>.</summary>
    public string Authority => $"root@{host.Address}:{Port}";

    /// <summary>Starts one. Where the machine has no server of its own, Debian's is fetched and unpacked, not installed.</summary>
    /// <param name="packageDirectory">Where that is kept, also for the next.</param>
    /// <exception cref="LabException">It could not be fetched or does not listen.</exception>
    public static async Task<SshServer> StartAsync(LabHost host, string packageDirectory, CancellationToken ct)
    {
        var directory = Path.Combine(host.Directory, "ssh");
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
        Directory.CreateDirectory(directory);
        var server = new SshServer(host, directory);
        foreach (var key in new[] { "host", "forged", "root", "stranger" })
            await Shell.RequireAsync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", key, "-f", Path.Combine(directory, key)], ct);
        File.Copy($"{server.KeyFile}.pub", Path.Combine(directory, "authorized_keys"));
        await server.WriteKnownHostAsync("host", server.KnownHostsFile, ct);
        await server.WriteKnownHostAsync("forged", server.ForgedHostsFile, ct);
        await server.RunAsync(await ProgramsAsync(packageDirectory, ct), ct);
        return server;
    }

    /// <summary>Nobody listens any more; sessions end with the host.</summary>
    public async ValueTask DisposeAsync() => await host.ExecuteAsync(["bash", "-c", $"kill \"$(cat '{directory}/sshd.pid')\""], CancellationToken.None);

    private async Task RunAsync(string root, CancellationToken ct)
    {
        var configuration = Path.Combine(directory, "sshd_config");
        // From 9.8 on OpenSSH is several programs. A rig is below /tmp, where everybody may write: too loose for the strict mode.
        var parts = new[] { ("SshdSessionPath", "sshd-session"), ("SshdAuthPath", "sshd-auth") }
            .Select(part => (Keyword: part.Item1, File: Path.Combine(root, "usr/lib/openssh", part.Item2))).Where(part => File.Exists(part.File));
        await File.WriteAllTextAsync(configuration,
            $"""
            ListenAddress {host.Address}
            Port {Port}
            HostKey {directory}/host
            AuthorizedKeysFile {directory}/authorized_keys
            PidFile {directory}/sshd.pid
            PermitRootLogin prohibit-password
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            UsePAM no
            StrictModes no
            LogLevel VERBOSE
            {string.Join('\n', parts.Select(part => $"{part.Keyword} {part.File}"))}

            """, ct);
        var libraries = string.Join(':', new[] { "usr/lib", "lib" }.Select(part => Path.Combine(root, part)).Where(Directory.Exists).SelectMany(part => Directory.GetDirectories(part, "*-linux-gnu")));
        const string Start = "mkdir -p /run/sshd && LD_LIBRARY_PATH=$0 exec \"$1\" -f \"$2\" -E \"$3\"";
        var started = await host.ExecuteAsync(["bash", "-c", Start, libraries, Path.Combine(root, "usr/sbin/sshd"), configuration, LogFile], ct);
        if (!started.Succeeded)
            throw new LabException($"sshd of {host.Name} does not start: {started.Output.Trim()}");
        await Until.SomethingAsync(Deadline, async () => await ListensAsync(ct) ? this : null, () => $"sshd of {host.Name} does not listen; see {LogFile}", ct);
    }

    private async Task<bool> ListensAsync(CancellationToken ct)
    {
        using var socket = new TcpClient();
        try
        {
            await socket.ConnectAsync(host.Address, Port, ct);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private async Task WriteKnownHostAsync(string key, string file, CancellationToken ct)
    {
        var words = (await File.ReadAllTextAsync(Path.Combine(directory, $"{key}.pub"), ct)).Split(' ');
        await File.WriteAllTextAsync(file, $"[{host.Address}]:{Port} {words[0]} {words[1]}\n", ct);
    }

    /// <summary>The root directory below which the server's programs are.</summary>
    private static async Task<string> ProgramsAsync(string packageDirectory, CancellationToken ct)
    {
        if (File.Exists("/usr/sbin/sshd"))
            return "/";
        await using var held = await DebianPackages.HoldAsync(packageDirectory, ct);
        // Named by what is in it: a checkout that wants more must not find another one's.
        var root = Path.Combine(packageDirectory, string.Join('+', Packages));
        if (Directory.Exists(root))
            return root;
        var work = Directory.CreateDirectory($"{root}.new").FullName;
        Directory.Delete(work, recursive: true);
        Directory.CreateDirectory(work);
        await DebianPackages.UnpackAsync(work, Packages, _ => { }, ct);
        Directory.Move(work, root);
        return root;
    }
}

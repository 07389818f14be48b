using System.Diagnostics;
using ControlPlane.Hypervisor.Specification;

namespace ControlPlane.Libvirt.Tests.Infrastructure;

/// <summary>
/// Two libvirtd with QEMU, each with files of its own, in namespaces of the tests' own: nothing of the machine's libvirt, network or processes is
/// touched, and the kernel ends all of it when the tests end. Started once for all tests that need hosts.
/// </summary>
public sealed class TwoHosts : IAsyncLifetime
{
    /// <summary>Probing QEMU takes a fresh daemon seconds, and far more on a busy machine.</summary>
    private static readonly TimeSpan StartMax = TimeSpan.FromMinutes(3);

    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// The first process of the namespaces: a network with a bridge, two daemons, and commands from the tests until their end. It is bash because
    /// that buries the dead that it did not bear: libvirt waits for VMMs that ended until they are gone.
    /// </summary>
    private const string Keeper = """
        ip link set lo up
        ip link add br-prod type bridge && ip link set br-prod up
        sh "$1/daemon.sh" "$1/a" > "$1/a/out" 2>&1 &
        sh "$1/daemon.sh" "$1/b" > "$1/b/out" 2>&1 &
        while read -r line; do eval "$line"; echo done; done
        """;

    /// <summary>The daemon sees its own files where libvirt has its fixed places.</summary>
    private const string Daemon = """
        exec unshare -m -u sh -c '
        mount --make-rprivate /
        hostname "cp-test-$(basename $1)"
        for place in etc:/etc/libvirt lib:/var/lib/libvirt cache:/var/cache/libvirt log:/var/log/libvirt run:/run/libvirt; do
          mkdir -p "${place#*:}"; mount --bind "$1/${place%%:*}" "${place#*:}"
        done
        # Debian builds libvirtd to ask for these accounts, whatever qemu.conf says; a machine without libvirt-daemon-system has none of them.
        for file in passwd group; do cp /etc/$file "$1/etc/$file"; done
        grep -q ^libvirt-qemu: /etc/passwd || echo libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin >> "$1/etc/passwd"
        grep -q ^libvirt-qemu: /etc/group || echo libvirt-qemu:x:64055: >> "$1/etc/group"
        grep -q ^kvm: /etc/group || echo kvm:x:64056: >> "$1/etc/group"
        for file in passwd group; do mount --bind "$1/etc/$file" /etc/$file; done
        # Without this libvirt asks name servers that these namespaces cannot reach.
        mount --bind "$1/etc/hosts" /etc/hosts
        rm -f "$1/run/libvirtd.pid"
        exec libvirtd --config /etc/libvirt/libvirtd.conf --pid-file "$1/run/libvirtd.pid"' daemon "$1"
        """;

    private readonly HashSet<string> dead = new(StringComparer.Ordinal);
    private Process keeper = null!;

    public string Root { get; private set; } = null!;

    public string Uri(string host) => $"qemu+unix:///system?socket={Root}/{host}/run/libvirt-sock";

    public async ValueTask InitializeAsync()
    {
        // Short: a Unix socket's path may have 107 bytes.
        Root = Directory.CreateTempSubdirectory("cplv-").FullName;
        File.WriteAllText(Path.Combine(Root, "daemon.sh"), Daemon);
        foreach (var host in new[] { "a", "b" })
            Write(host);
        keeper = Process.Start(Command())!;
        await Task.WhenAll(Answers("a"), Answers("b"));
        foreach (var host in new[] { "a", "b" })
            Furnish(host);
    }

    public async ValueTask DisposeAsync()
    {
        keeper.Kill();
        await keeper.WaitForExitAsync();
        keeper.Dispose();
        Directory.Delete(Root, recursive: true);
    }

    /// <summary>Runs a line of shell inside the namespaces, where the daemons' process numbers mean something.</summary>
    public async Task RunAsync(string line)
    {
        await keeper.StandardInput.WriteLineAsync(line);
        await keeper.StandardInput.FlushAsync();
        Assert.Equal("done", await keeper.StandardOutput.ReadLineAsync());
    }

    /// <summary>Ends the daemon as a crash would; its guests run on.</summary>
    public Task KillDaemonAsync(string host) => KillAsync(host, $"kill -9 $(cat {Root}/{host}/run/libvirtd.pid)");

    /// <summary>The daemon and all its guests, as a power cut would.</summary>
    public Task CutPowerAsync(string host) =>
        KillAsync(host, $"kill -9 $(cat {Root}/{host}/run/libvirtd.pid) $(cat {Root}/{host}/run/qemu/*.pid 2>/dev/null) 2>/dev/null; rm -rf {Root}/{host}/run/qemu/*");

    private Task KillAsync(string host, string line)
    {
        dead.Add(host);
        return RunAsync(line);
    }

    /// <summary>Starts the daemons that a test has killed.</summary>
    public async Task ReviveAsync()
    {
        foreach (var host in dead.ToArray())
            await StartDaemonAsync(host);
    }

    public async Task StartDaemonAsync(string host)
    {
        dead.Remove(host);
        await RunAsync($"sh {Root}/daemon.sh {Root}/{host} >> {Root}/{host}/out 2>&1 &");
        await Answers(host);
    }

    private async Task Answers(string host)
    {
        using var limit = new CancellationTokenSource(StartMax);
        while (true)
        {
            try
            {
                using var connection = await VirConnect.OpenAsync(Uri(host), StartMax);
                _ = connection.GetCapabilities();
                return;
            }
            catch (LibvirtException e)
            {
                if (limit.IsCancellationRequested || keeper.HasExited)
                    throw new InvalidOperationException(await File.ReadAllTextAsync($"{Root}/{host}/out"), e);
                await Task.Delay(Between, TimeProvider.System);
            }
        }
    }

    private void Write(string host)
    {
        foreach (var directory in new[] { "etc", "lib", "cache", "log", "run", "images" })
            Directory.CreateDirectory(Path.Combine(Root, host, directory));
        // Two daemons on one machine must not take themselves for one host, or they refuse to migrate.
        File.WriteAllText(Path.Combine(Root, host, "etc", "libvirtd.conf"), $"host_uuid = \"{Guid.NewGuid()}\"\nauth_unix_rw = \"none\"\nunix_sock_rw_perms = \"0777\"\n");
        File.WriteAllText(Path.Combine(Root, host, "etc", "hosts"), $"127.0.0.1 localhost cp-test-{host}\n");
        // No other daemons, no ownership, no control groups: all of these are the machine's.
        File.WriteAllText(Path.Combine(Root, host, "etc", "qemu.conf"),
            "user = \"root\"\ngroup = \"root\"\ndynamic_ownership = 0\nremember_owner = 0\nsecurity_driver = \"none\"\ncgroup_controllers = [ ]\nnamespaces = [ ]\nstdio_handler = \"file\"\n");
        foreach (var manner in Enum.GetValues<GuestManner>())
            File.WriteAllBytes(Path.Combine(Root, host, "images", $"{TinyGuest.NameOf(manner)}.raw"), TinyGuest.Image(manner));
    }

    /// <summary>What an operator prepares on a host: a storage pool, and what our networks are there.</summary>
    private void Furnish(string host)
    {
        using var connection = VirConnect.Open(Uri(host));
        using (var pool = connection.DefineStoragePool($"<pool type='dir'><name>default</name><target><path>{Root}/{host}/images</path></target></pool>"))
            pool.Create();
        foreach (var name in new[] { "prod", "prod-vlan7", "prod-vlan101", "prod-vlan109" })
        {
            using var network = connection.DefineNetwork($"<network><name>{name}</name><forward mode='bridge'/><bridge name='br-prod'/></network>");
            network.Create();
        }
    }

    private ProcessStartInfo Command()
    {
        string[] asRoot = Environment.IsPrivilegedProcess ? [] : ["--user", "--map-root-user"];
        return new ProcessStartInfo("unshare", [.. asRoot, "-m", "-n", "-u", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c", Keeper, "keeper", Root])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
    }
}

[CollectionDefinition(nameof(TwoHosts))]
public sealed class TwoHostsCollection : ICollectionFixture<TwoHosts>;

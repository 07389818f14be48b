using System.Diagnostics;

namespace ControlPlane.LibvirtSharp.Tests.Daemons;

/// <summary>
/// A libvirtd of the tests' own: an unprivileged session daemon with all its state in one directory, so it needs no root, no namespaces and
/// nothing of the machine's own libvirt; where the tests are root it runs as nobody. It and its guests end with the tests, however these end.
/// </summary>
internal sealed class PrivateLibvirtd : IAsyncDisposable
{
    /// <summary>Probing QEMU for its capabilities takes a fresh daemon seconds, and far more on a busy machine.</summary>
    private static readonly TimeSpan StartMax = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(100);

    private const string Nobody = "65534";

    /// <summary>Starts the program given, tells its number, and ends it and its guests when the pipe to the tests is gone.</summary>
    private const string Keeper = """
        "$@" > libvirtd.out 2>&1 &
        child=$!
        echo $child
        read -r end
        kill -9 $child 2> /dev/null
        for guest in run/libvirt/qemu/run/*.pid; do [ -f "$guest" ] && kill -9 "$(cat "$guest")" 2> /dev/null; done
        """;

    private readonly List<Process> keepers = [];

    private PrivateLibvirtd(string directory) => Root = directory;

    public string Root { get; }

    /// <summary>Of the daemon that runs now.</summary>
    public int ProcessId { get; private set; }

    public string Uri => $"qemu+unix:///session?socket={Root}/run/libvirt/libvirt-sock";

    public static async Task<PrivateLibvirtd> StartAsync(string name)
    {
        // Short: a Unix socket's path may have 107 bytes.
        var daemon = new PrivateLibvirtd(Directory.CreateTempSubdirectory($"lvs-{name}-").FullName);
        daemon.Write();
        await daemon.StartAsync();
        return daemon;
    }

    public async Task StartAsync()
    {
        var keeper = Process.Start(Command())!;
        keepers.Add(keeper);
        ProcessId = int.Parse((await keeper.StandardOutput.ReadLineAsync())!);
        using var limit = new CancellationTokenSource(StartMax);
        while (true)
        {
            try
            {
                using var connection = VirConnect.Open(Uri);
                _ = connection.GetCapabilities();
                return;
            }
            catch (LibvirtException e) when (e.IsConnectionLost)
            {
                if (limit.IsCancellationRequested)
                    Assert.Fail($"{e.Message}\n{await File.ReadAllTextAsync($"{Root}/libvirtd.out")}");
                await Task.Delay(Between, TimeProvider.System);
            }
        }
    }

    /// <summary>Ends the daemon as a crash would; its guests run on.</summary>
    public void Kill() => Signal("KILL");

    public void Signal(string name)
    {
        using var kill = Process.Start("/bin/sh", ["-c", $"kill -{name} {ProcessId}"]);
        kill.WaitForExit();
    }

    /// <summary>A file that the daemon and its guests can read.</summary>
    public string WriteFile(string name, byte[] content)
    {
        var path = Path.Combine(Root, name);
        File.WriteAllBytes(path, content);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        return path;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var keeper in keepers)
        {
            keeper.StandardInput.Close();
            await keeper.WaitForExitAsync();
            keeper.Dispose();
        }

        Directory.Delete(Root, recursive: true);
    }

    private void Write()
    {
        foreach (var directory in new[] { "", "run", "config", "config/libvirt", "cache", "data", "images" })
        {
            var path = Directory.CreateDirectory(Path.Combine(Root, directory)).FullName;
            File.SetUnixFileMode(path, (UnixFileMode)0b111_111_111);
        }

        // Two daemons on one machine must not take themselves for one host, or they refuse to migrate.
        WriteFile("libvirtd.conf", System.Text.Encoding.UTF8.GetBytes($"host_uuid = \"{Guid.NewGuid()}\"\n"));
        // Else each guest's log would start another daemon.
        WriteFile("config/libvirt/qemu.conf", "stdio_handler = \"file\"\n"u8.ToArray());
    }

    private ProcessStartInfo Command()
    {
        string[] asNobody = Environment.IsPrivilegedProcess ? ["setpriv", "--reuid", Nobody, "--regid", Nobody, "--clear-groups"] : [];
        var libvirtd = File.Exists("/usr/sbin/libvirtd") ? "/usr/sbin/libvirtd" : "libvirtd";
        var start = new ProcessStartInfo("/bin/sh", ["-c", Keeper, "keeper", .. asNobody, libvirtd, "--config", $"{Root}/libvirtd.conf"])
        {
            WorkingDirectory = Root,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment["HOME"] = Root;
        start.Environment["XDG_RUNTIME_DIR"] = $"{Root}/run";
        start.Environment["XDG_CONFIG_HOME"] = $"{Root}/config";
        start.Environment["XDG_CACHE_HOME"] = $"{Root}/cache";
        start.Environment["XDG_DATA_HOME"] = $"{Root}/data";
        return start;
    }
}

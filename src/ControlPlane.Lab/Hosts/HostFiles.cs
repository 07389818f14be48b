namespace ControlPlane.Lab.Hosts;

/// <summary>What stands in a host's own directory before it comes up: where its /etc, state, cache, logs and sockets are.</summary>
internal static class HostFiles
{
    /// <summary>Writes what does not depend on the network; a host keeps its uuid and its state when it comes up again.</summary>
    public static void Prepare(string directory, string name)
    {
        foreach (var part in new[] { "etc.machine", "etc/libvirt", "etc/pki", "lib", "cache", "log", "run" })
            Directory.CreateDirectory(Path.Combine(directory, part));
        File.WriteAllText(Path.Combine(directory, "etc", "hostname"), $"{name}\n");
        if (!File.Exists(HostsFile(directory)))
            File.WriteAllText(HostsFile(directory), "127.0.0.1 localhost\n");
        // Debian's libvirtd asks for them before it reads which user QEMU is to run as; the package that makes them would also start a daemon.
        WriteAccounts(directory, "passwd", "libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin", "sshd:x:64057:65534::/run/sshd:/usr/sbin/nologin");
        WriteAccounts(directory, "group", "libvirt-qemu:x:64055:", "kvm:x:64056:");
        // The machine's root may be locked, and then sshd lets nobody in; nobody gets in by a password.
        File.WriteAllText(Path.Combine(directory, "etc", "shadow"), "root:*:1:0:99999:7:::\n");
        var uuid = Path.Combine(directory, "uuid");
        if (!File.Exists(uuid))
            File.WriteAllText(uuid, File.ReadAllText("/proc/sys/kernel/random/uuid").Trim());
        File.WriteAllText(Path.Combine(directory, "etc", "libvirt", "libvirtd.conf"),
            $"""
            listen_tls = 1
            listen_tcp = 1
            auth_tcp = "none"
            auth_tls = "none"
            auth_unix_ro = "none"
            auth_unix_rw = "none"
            unix_sock_group = "root"
            unix_sock_rw_perms = "0700"
            host_uuid = "{File.ReadAllText(uuid)}"
            log_outputs = "1:file:/var/log/libvirt/libvirtd.log"
            log_filters = "1:qemu.qemu_migration 1:qemu.qemu_process 2:qemu 3:*"

            """);
        // Both daemons see one control group tree and would take the same groups for guests of the same name: none.
        // A daemon gives up on another that is silent for five seconds, not for thirty, so that a cut network is noticed while a test waits.
        File.WriteAllText(Path.Combine(directory, "etc", "libvirt", "qemu.conf"),
            """
            user = "root"
            group = "root"
            dynamic_ownership = 0
            remember_owner = 0
            security_driver = "none"
            cgroup_controllers = [ ]
            namespaces = [ ]
            stdio_handler = "file"
            default_tls_x509_cert_dir = "/etc/pki/qemu"
            migrate_tls_x509_verify = 1
            keepalive_interval = 1
            keepalive_count = 5

            """);
    }

    /// <summary>By which names the host knows both; not as its loopback's, or libvirt would refuse a migration to "localhost".</summary>
    public static void WriteAddresses(string directory, IEnumerable<LabHost> hosts) =>
        File.WriteAllText(HostsFile(directory), string.Concat(hosts.Select(host => $"{host.Address} {host.Name}\n").Prepend("127.0.0.1 localhost\n")));

    /// <summary>Copies what libvirt has found out about QEMU, which takes it ten seconds and more; it looks again when QEMU is another one.</summary>
    public static void CopyCapabilities(string from, string to)
    {
        if (!Directory.Exists(from))
            return;
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from, "*.xml"))
        {
            // In one step: another rig may be reading.
            var target = Path.Combine(to, Path.GetFileName(file));
            var part = $"{target}.{Environment.ProcessId}";
            File.Copy(file, part, overwrite: true);
            File.Move(part, target, overwrite: true);
        }
    }

    public static string CapabilitiesOf(string directory) => Path.Combine(directory, "cache", "qemu", "capabilities");

    /// <summary>The machine's accounts, and those of the wanted ones that it does not have.</summary>
    private static void WriteAccounts(string directory, string file, params string[] wanted)
    {
        var machines = File.ReadAllLines($"/etc/{file}");
        var names = machines.Select(NameOf).ToHashSet(StringComparer.Ordinal);
        File.WriteAllLines(Path.Combine(directory, "etc", file), [.. machines, .. wanted.Where(line => !names.Contains(NameOf(line)))]);

        static string NameOf(string line) => line.Split(':')[0];
    }

    private static string HostsFile(string directory) => Path.Combine(directory, "etc", "hosts");
}

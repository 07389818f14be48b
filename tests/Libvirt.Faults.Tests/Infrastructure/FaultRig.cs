using System.Globalization;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Lab;
using ControlPlane.Lab.Hosts;
using ControlPlane.Libvirt.Tests.Infrastructure;
using ControlPlane.Testing.Libvirt;

namespace ControlPlane.Libvirt.Faults.Tests.Infrastructure;

/// <summary>The lab's two hosts with images that boot in a second. What is broken in a test is whole again after it, so tests come one after another.</summary>
public sealed class FaultRig : IAsyncLifetime
{
    /// <summary>What is sent to it is dropped without a word.</summary>
    private const string NobodysMac = "02:00:00:00:00:01";

    private const string DaemonPid = "/run/libvirt/libvirtd.pid";

    /// <summary>More than keep-alive messages that pile up while nobody reads, and less than an order of a migration.</summary>
    private const int UnreadBytesMin = 1000;

    /// <summary>libvirt's default for <c>migration_port_min</c>.</summary>
    private const int FirstMigrationPort = 49152;

    private readonly TwoHostsRig fixture = new();

    public TwoHosts Rig => fixture.Rig;

    public LabHost First => Rig.First;

    public LabHost Second => Rig.Second;

    public async ValueTask InitializeAsync()
    {
        await fixture.InitializeAsync();
        foreach (var host in Rig.Hosts)
        {
            using var connection = VirConnect.Open(host.UnixUri);
            using var pool = connection.LookupStoragePoolByName("default");
            foreach (var manner in new[] { GuestManner.Cooperative, GuestManner.DirtiesFast })
                File.WriteAllBytes(Path.Combine(ImagesOf(host), $"{TinyGuest.NameOf(manner)}.raw"), TinyGuest.Image(manner));
            pool.Refresh();
        }
    }

    /// <summary>Whatever a test has broken works again: wires and daemons.</summary>
    public async Task MendAsync()
    {
        await Rig.RestoreNetworkAsync(CancellationToken.None);
        foreach (var host in Rig.Hosts)
        {
            await host.ExecuteAsync(["bash", "-c", $"kill -CONT \"$(cat {DaemonPid})\""], CancellationToken.None);
            await RestoreToMachineAsync(host);
            await host.StartDaemonAsync(CancellationToken.None);
        }
    }

    /// <summary>From now on nothing of the host reaches the machine, and so the control plane; the hosts reach each other.</summary>
    public static Task CutFromMachineAsync(LabHost host) =>
        RequireAsync(host, "ip", "neigh", "replace", MachineSeenBy(host), "lladdr", NobodysMac, "dev", "eth0", "nud", "permanent");

    public static Task RestoreToMachineAsync(LabHost host) => RequireAsync(host, "ip", "neigh", "flush", "dev", "eth0", "nud", "permanent");

    public static Task SignalDaemonAsync(LabHost host, string signal) => RequireAsync(host, "bash", "-c", $"kill -{signal} \"$(cat {DaemonPid})\"");

    /// <summary>As the daemon says it; empty when it has no such domain.</summary>
    public static async Task<string> StateAsync(LabHost host, DomainDefinition vm) =>
        (await host.VirshAsync(["domstate", RigFleet.NameOf(vm)], CancellationToken.None)) is { Succeeded: true } answer ? answer.Output.Trim() : "";

    public static Task UntilStateAsync(LabHost host, DomainDefinition vm, string state) =>
        RigFleet.UntilAsync(async () => await StateAsync(host, vm) is var now && now == state ? now : null, $"{host.Name} has the guest {state}");

    /// <summary>Whether somebody waits for an answer of a daemon that reads nothing.</summary>
    public static async Task<bool> HasUnreadAsync(LabHost host)
    {
        var connections = (await host.ExecuteAsync(["ss", "-Htn", "sport", "=", ":16509"], CancellationToken.None)).Output;
        return connections.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Any(line => int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) >= UnreadBytesMin);
    }

    private static string MachineSeenBy(LabHost host) => string.Join('.', host.Address.ToString().Split('.')[..3]) + ".254";

    private static async Task RequireAsync(LabHost host, params string[] command)
    {
        var result = await host.ExecuteAsync(command, CancellationToken.None);
        Assert.True(result.Succeeded, result.Output);
    }

    /// <summary>The busy guest on that host lives: its memory changes.</summary>
    public static Task UntilWritesAsync(LabHost host, string domain)
    {
        var guest = new GuestProcess(host, domain);
        return RigFleet.UntilAsync(async () => await guest.WritesAsync() ? guest : null, "the guest writes its memory");
    }

    /// <summary>
    /// The connections of migrations to the second host end on both, as if the wire had been cut for the quarter of an hour that TCP goes on trying. Of a cut
    /// that a test can wait for QEMU takes no notice: what it has sent is sent again when the wire is back.
    /// </summary>
    public async Task EndMigrationConnectionsAsync()
    {
        await RequireAsync(First, "ss", "-tK", "dst", Second.Address.ToString(), "dport", ">=", $":{FirstMigrationPort}");
        await RequireAsync(Second, "ss", "-tK", "dst", First.Address.ToString(), "sport", ">=", $":{FirstMigrationPort}");
    }

    /// <summary>QEMU on the first host is sending the guest's memory.</summary>
    public Task UntilMigratesAsync(string domain)
    {
        var guest = new GuestProcess(First, domain);
        return RigFleet.UntilAsync(async () => await guest.SentBytesAsync() > 0 ? guest : null, "the copy begins");
    }

    public ValueTask DisposeAsync() => fixture.DisposeAsync();

    /// <summary>Where the volumes of the host's pool lie, seen from the machine.</summary>
    public static string ImagesOf(LabHost host) => Path.Combine(host.Directory, "lib", "images");
}

[CollectionDefinition(nameof(FaultRig))]
public sealed class FaultRigs : ICollectionFixture<FaultRig>;

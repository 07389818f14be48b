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
            await RestoreToMachineAsync(host);
            await host.StartDaemonAsync(CancellationToken.None);
        }
    }

    /// <summary>From now on nothing of the host reaches the machine, and so the control plane; the hosts reach each other.</summary>
    public static Task CutFromMachineAsync(LabHost host) =>
        RequireAsync(host, "ip", "neigh", "replace", MachineSeenBy(host), "lladdr", NobodysMac, "dev", "eth0", "nud", "permanent");

    public static Task RestoreToMachineAsync(LabHost host) => RequireAsync(host, "ip", "neigh", "flush", "dev", "eth0", "nud", "permanent");

    private static string MachineSeenBy(LabHost host) => string.Join('.', host.Address.ToString().Split('.')[..3]) + ".254";

    private static async Task RequireAsync(LabHost host, params string[] command)
    {
        var result = await host.ExecuteAsync(command, CancellationToken.None);
        Assert.True(result.Succeeded, result.Output);
    }

    /// <summary>QEMU on the first host is sending the guest's memory.</summary>
    public Task UntilMigratesAsync(DomainDefinition vm) => RigFleet.UntilAsync(
        async () => await First.VirshAsync(["qemu-monitor-command", RigFleet.NameOf(vm), """{"execute":"query-migrate"}"""], CancellationToken.None) is var answer
            && answer.Output.Contains("\"status\":\"active\"", StringComparison.Ordinal) ? answer : null, "the copy begins");

    public ValueTask DisposeAsync() => fixture.DisposeAsync();

    /// <summary>Where the volumes of the host's pool lie, seen from the machine.</summary>
    public static string ImagesOf(LabHost host) => Path.Combine(host.Directory, "lib", "images");
}

[CollectionDefinition(nameof(FaultRig))]
public sealed class FaultRigs : ICollectionFixture<FaultRig>;

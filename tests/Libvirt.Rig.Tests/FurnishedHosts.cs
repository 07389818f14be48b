using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Libvirt.Tests.Infrastructure;

namespace ControlPlane.Libvirt.Rig.Tests;

/// <summary>
/// Both nested hosts with what an operator prepares for a control plane: storage, images, networks, virtual functions. Fresh once
/// for all tests that share them; between two tests only what the first left is taken away.
/// </summary>
public sealed class FurnishedHosts : IAsyncLifetime
{
    internal const string Images = "/var/lib/libvirt/images";
    private const int VfCount = 4;
    private const int BootSectorBytes = 512;

    private static readonly string[] Networks = ["prod", "prod-vlan7", "prod-vlan101", "prod-vlan109"];

    private NestedHosts nested = null!;

    internal static PciAddress PhysicalFunction { get; } = PciAddress.Parse("0000:04:00.0");

    internal NestedHost First => nested.First;

    internal NestedHost Second => nested.Second;

    internal CycleLog Log => nested.Log;

    internal GuestCycle Cycle => nested.Cycle;

    internal Lab.Probes.ProbeStream Probes => nested.Probes;

    /// <summary>How many functions have the host's driver and a working reset, and for how many the physical one has settings of somebody.</summary>
    private static string AsMade =>
        $"echo $(for f in {Sysfs}/virtfn*; do [ $(basename $(readlink $f/driver)) = igbvf ] && grep flr $f/reset_method; done | wc -l) $(ip link show dev $(ls {Sysfs}/net) | grep -c -e vlan -e 'trust on' -e 'checking off' -e 'Mbps')";

    private static string Sysfs => $"/sys/bus/pci/devices/{PhysicalFunction}";

    public async ValueTask InitializeAsync()
    {
        var ct = TestContext.Current.CancellationToken;
        nested = await NestedHosts.FreshAsync("== the specification of hypervisors, on real functions", ct);
        await Log.PartAsync("pools, images and networks on both", () => Task.WhenAll(FurnishAsync(First, ct), FurnishAsync(Second, ct)));
    }

    public ValueTask DisposeAsync() => nested.DisposeAsync();

    /// <summary>Domains of ours, their disks, and what was done to virtual functions.</summary>
    internal Task EmptyAsync(CancellationToken ct) => Task.WhenAll(EmptyAsync(First, ct), EmptyAsync(Second, ct));

    /// <summary>The daemon and all its guests end as by a power cut; nothing is left of what they had in /run.</summary>
    internal async Task CutPowerAsync(NestedHost host, CancellationToken ct) =>
        await host.RunAsync("kill -9 $(pidof libvirtd) $(pidof qemu-system-x86_64) 2> /dev/null; rm -rf /run/libvirt/qemu/*", ct);

    /// <summary>As the host's first process does it: virtual functions are made anew, then the daemon is started.</summary>
    internal async Task BootAsync(NestedHost host, CancellationToken ct)
    {
        await RemakeFunctionsAsync(host, ct);
        await host.RunAsync("rm -f /run/libvirtd.pid; libvirtd --listen -d > /dev/null 2>&1", ct);
        await host.RunAsync("for try in $(seq 300); do virsh hostname > /dev/null 2>&1 && break; sleep 0.2; done; virsh net-start prod; virsh pool-start default", ct);
    }

    private async Task EmptyAsync(NestedHost host, CancellationToken ct)
    {
        // The last test may have cut its power.
        if (await host.RunAsync("pidof libvirtd", ct) is "")
            await BootAsync(host, ct);
        await host.RunAsync(
            $"""
            for name in $(virsh list --all --name | grep -e '^cp-' -e '^controlplane-register$'); do virsh destroy $name; virsh undefine $name; done > /dev/null 2>&1
            rm -f {Images}/cp-*; virsh pool-refresh default
            """, ct);
        if (await host.RunAsync(AsMade, ct) != $"{VfCount} 0")
            await RemakeFunctionsAsync(host, ct);
    }

    private static async Task RemakeFunctionsAsync(NestedHost host, CancellationToken ct)
    {
        await host.RunAsync($"echo 0 > {Sysfs}/sriov_numvfs; echo {VfCount} > {Sysfs}/sriov_numvfs; udevadm settle -t 60", ct);
        Assert.Equal($"{VfCount} 0", await host.RunAsync(AsMade, ct));
    }

    private static async Task<bool> FurnishAsync(NestedHost host, CancellationToken ct)
    {
        var images = Enum.GetValues<GuestManner>().Select(manner =>
        {
            var (image, file) = (TinyGuest.Image(manner), $"{Images}/{TinyGuest.NameOf(manner)}.raw");
            return $"echo {Convert.ToBase64String(image.AsSpan(0, BootSectorBytes))} | base64 -d > {file}; truncate -s {image.Length} {file}";
        });
        var told = await host.RunAsync(
            $"""
            virsh destroy guest; virsh undefine guest
            mkdir -p {Images}; {string.Join("; ", images)}
            virsh pool-define-as default dir --target {Images}; virsh pool-start default; virsh pool-autostart default
            for name in {string.Join(' ', Networks)}; do
              echo "<network><name>$name</name><forward mode='bridge'/><bridge name='br0'/></network>" > /tmp/network.xml
              virsh net-define /tmp/network.xml; virsh net-start $name; virsh net-autostart $name
            done
            virsh net-list --name | grep -c prod
            """, ct);
        Assert.EndsWith($"\n{Networks.Length}", told, StringComparison.Ordinal);
        return true;
    }
}

[CollectionDefinition(nameof(FurnishedHosts))]
public sealed class FurnishedHostsCollection : ICollectionFixture<FurnishedHosts>;

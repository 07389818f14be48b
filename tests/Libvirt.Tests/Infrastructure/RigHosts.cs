using ControlPlane.Hypervisor.Specification;
using ControlPlane.Lab;
using ControlPlane.Lab.Hosts;
using ControlPlane.Testing.Libvirt;

namespace ControlPlane.Libvirt.Tests.Infrastructure;

/// <summary>
/// The lab's two hosts, furnished with what these tests' VMs name: images of guests in one boot sector, and networks. Up once for all tests that need
/// hosts, which therefore run one after another.
/// </summary>
public sealed class RigHosts : IAsyncLifetime
{
    private static readonly string[] Networks = ["prod", "prod-vlan7", "prod-vlan101", "prod-vlan109"];

    private readonly TwoHostsRig fixture = new();
    private readonly HashSet<LabHost> withoutPower = [];

    public TwoHosts Rig => fixture.Rig;

    public LabHost First => Rig.First;

    public LabHost Second => Rig.Second;

    public async ValueTask InitializeAsync()
    {
        await fixture.InitializeAsync();
        foreach (var host in Rig.Hosts)
            Furnish(host);
    }

    public ValueTask DisposeAsync() => fixture.DisposeAsync();

    public Task CutPowerAsync(LabHost host)
    {
        withoutPower.Add(host);
        return host.CutPowerAsync(CancellationToken.None);
    }

    /// <summary>Boots a host whose power was cut; its domains are off.</summary>
    public async Task BootAsync(LabHost host)
    {
        await host.StartDaemonAsync(CancellationToken.None);
        withoutPower.Remove(host);
    }

    /// <summary>Boots what a test has left without power.</summary>
    public async Task BootAllAsync()
    {
        foreach (var host in withoutPower.ToArray())
            await BootAsync(host);
    }

    private static void Furnish(LabHost host)
    {
        using var connection = VirConnect.Open(host.UnixUri);
        foreach (var name in Networks)
        {
            using var network = connection.DefineNetwork($"<network><name>{name}</name><forward mode='bridge'/><bridge name='guests'/></network>");
            network.Create();
        }
        using var pool = connection.LookupStoragePoolByName("default");
        foreach (var manner in Enum.GetValues<GuestManner>())
            File.WriteAllBytes(Path.Combine(host.ImageDirectory, $"{TinyGuest.NameOf(manner)}.raw"), TinyGuest.Image(manner));
        pool.Refresh();
    }
}

[CollectionDefinition(nameof(RigHosts))]
public sealed class RigHostsCollection : ICollectionFixture<RigHosts>;

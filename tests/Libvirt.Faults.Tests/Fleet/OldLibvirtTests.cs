using ControlPlane.Domain;
using ControlPlane.Hypervisor.Libvirt;
using ControlPlane.Libvirt.Faults.Tests.Infrastructure;

namespace ControlPlane.Libvirt.Faults.Tests.Fleet;

/// <summary>A real host, and a backend that is told to want newer versions than any has.</summary>
[Collection(nameof(FaultRig))]
public sealed class OldLibvirtTests(FaultRig rig)
{
    private static readonly VirVersion Future = new(1000, 0, 0);

    private static readonly CancellationToken Ct = CancellationToken.None;

    [Fact]
    public async Task A_host_with_an_older_libvirt_is_refused_by_every_call_with_both_versions()
    {
        await using var fleet = new LibvirtFleet(RigFleet.Options with { OldestLibvirt = Future }, TimeProvider.System);
        var host = (await fleet.OpenAsync(RigFleet.HostAt("hv1", rig.First.TcpUri), Ct)).Value;
        using var connection = VirConnect.Open(rig.First.TcpUri);

        var read = (await host.ReadInventoryAsync(Ct)).Fault;

        Assert.Equal((FaultKind.Impossible, "libvirt-too-old"), (read?.Kind, read?.Code));
        Assert.Contains($"The libvirt of {rig.First.TcpUri} is {connection.GetDaemonVersion()}; {Future} or newer is needed.", read!.Detail, StringComparison.Ordinal);
        Assert.Equal(read, (await host.PingAsync(Ct)).Fault);
        Assert.Equal(read, (await host.ListDomainsAsync(Ct)).Fault);
    }

    [Fact]
    public async Task A_host_with_an_older_QEMU_is_refused_too()
    {
        await using var fleet = new LibvirtFleet(RigFleet.Options with { OldestQemu = Future }, TimeProvider.System);
        var host = (await fleet.OpenAsync(RigFleet.HostAt("hv1", rig.First.TcpUri), Ct)).Value;
        using var connection = VirConnect.Open(rig.First.TcpUri);

        var read = (await host.ReadInventoryAsync(Ct)).Fault;

        Assert.Equal("libvirt-too-old", read?.Code);
        Assert.Contains($"The QEMU of {rig.First.TcpUri} is {connection.GetHypervisorVersion()}", read!.Detail, StringComparison.Ordinal);
    }
}

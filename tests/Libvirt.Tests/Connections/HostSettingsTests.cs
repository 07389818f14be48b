using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Hypervisor.Libvirt;
using ControlPlane.Hypervisor.Libvirt.Connections;

namespace ControlPlane.Libvirt.Tests.Connections;

public sealed class HostSettingsTests
{
    [Theory]
    [InlineData("libvirt-migration-tls", "yes", "it should be 'true' or 'false'")]
    [InlineData("libvirt-migration-tls", "True", "it should be 'true' or 'false'")]
    [InlineData("libvirt-migration", "p2p", "it should be 'peer-to-peer' or 'direct'")]
    [InlineData("libvirt-domain-type", "xen", "it should be 'qemu'")]
    [InlineData("libvirt-migration-uri", "10.0.0.2", "it should be like tcp://10.0.0.2")]
    [InlineData("libvirt-migration-uri", "tcp://", "it should be like tcp://10.0.0.2")]
    [InlineData("libvirt-migration-uri", "exec://sh/-c", "it should be like tcp://10.0.0.2")]
    [InlineData("libvirt-peer-uri", "xen://hv2/", "not for the QEMU driver")]
    [InlineData("libvirt-peer-uri", "qemu+ssh://hv2/system?no_tty=1&command=/bin/sh", "command= names a program")]
    public void A_label_that_cannot_be_meant_is_refused_with_its_name_and_the_fix(string label, string value, string fix)
    {
        var refused = Read("qemu+tls://hv1/system", (label, value)).Fault;

        Assert.Equal("backend-label", refused?.Code);
        Assert.Contains(label, refused!.Detail, StringComparison.Ordinal);
        Assert.Contains(fix, refused.Detail, StringComparison.Ordinal);
    }

    [Theory] // As libvirt would read them; who may add hosts may not run programs as the server.
    [InlineData("qemu+ssh://root@hv1/system?command=/bin/sh")]
    [InlineData("qemu+ssh://root@hv1/system?no_tty=1;Command=/bin/sh")]
    [InlineData("qemu+ssh://root@hv1/system?keyfile=/k&c%6Fmmand=/bin/sh")]
    public async Task A_program_that_a_hosts_URI_names_is_not_run(string uri)
    {
        await using var fleet = new LibvirtFleet(new LibvirtOptions(), TimeProvider.System);

        var refused = (await fleet.OpenAsync(HostAt(uri), TestContext.Current.CancellationToken)).Fault;

        Assert.Equal("backend-uri", refused?.Code);
        Assert.Contains("command= names a program", refused!.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("qemu+tls://hv1/system", true, true)]
    [InlineData("qemu+tcp://hv1/system", false, true)]
    [InlineData("qemu+ssh://root@hv1/system", false, false)]
    [InlineData("qemu://hv1/system", true, true)]
    public void Without_labels_a_guests_memory_travels_as_the_connection_does(string uri, bool tls, bool peerToPeer)
    {
        var settings = Read(uri).Value;

        Assert.Equal((tls, peerToPeer, "tcp://hv1"), (settings.Tls, settings.PeerToPeer, settings.MigrationUri?.OriginalString));
    }

    [Fact]
    public void Labels_say_what_the_URI_cannot()
    {
        var settings = Read("qemu+tcp://hv1/system", ("libvirt-migration-tls", "true"), ("libvirt-migration", "direct"),
            ("libvirt-migration-uri", "tcp://[fd00::2]:49152"), ("libvirt-peer-uri", "qemu+tls://hv1.storage/system"), ("libvirt-disk-pool", "fast")).Value;

        Assert.Equal((true, false, 49152, "qemu+tls://hv1.storage/system"), (settings.Tls, settings.PeerToPeer, settings.MigrationUri?.Port, settings.PeerUri));
        Assert.Equal(("fast", "fast"), (settings.DiskPool, settings.ImagePool));
    }

    private static Outcome<HostSettings> Read(string uri, params (string Name, string Value)[] labels) => HostSettings.Of(HostAt(uri, labels));

    private static Host HostAt(string uri, params (string Name, string Value)[] labels) => new(
        new HostId(Guid.Empty), "hv1", new HostBackend(BackendKind.Libvirt, Uri: uri), HostState.Up, null, labels.ToDictionary(l => l.Name, l => l.Value),
        HostCapacity.Unknown, CpuModel.Unknown, 1, 1, false, null, new Generation(1), null, default, default);
}

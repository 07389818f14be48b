using ControlPlane.Domain;
using ControlPlane.Hypervisor.Libvirt.Connections;

namespace ControlPlane.Libvirt.Tests.Fleet;

/// <summary>What is said of versions that no machine of ours has.</summary>
public sealed class LibvirtVersionsTests
{
    private const string Uri = "qemu+tls://kvm-1.example.org/system";

    private static readonly LibvirtOptions Options = new();

    private static readonly VirVersion New = new(12, 1, 0);

    [Fact]
    public void New_enough_is_new_enough_also_without_a_QEMU()
    {
        Assert.Null(new LibvirtVersions(Options.OldestLibvirt, Options.OldestLibvirt, Options.OldestQemu).Check(Uri, Options));
        Assert.Null(new LibvirtVersions(New, New, null).Check(Uri, Options));
    }

    [Fact]
    public void Of_an_old_daemon_all_is_named_that_it_has_not_and_nothing_that_it_has()
    {
        var fault = new LibvirtVersions(New, new VirVersion(6, 2, 0), New).Check(Uri, Options);

        Assert.Equal((FaultKind.Impossible, "libvirt-too-old"), (fault?.Kind, fault?.Code));
        Assert.StartsWith($"The libvirt of {Uri} is 6.2.0; {Options.OldestLibvirt} or newer is needed.", fault!.Detail, StringComparison.Ordinal);
        Assert.Contains("VIR_MIGRATE_PARAM_DISKS_URI), since 6.8.0", fault.Detail, StringComparison.Ordinal);
        Assert.Contains("VIR_MIGRATE_POSTCOPY_RESUME), since 8.5.0", fault.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("teaming", fault.Detail, StringComparison.Ordinal);
        Assert.EndsWith("Update libvirt on that host.", fault.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void An_old_library_is_this_machines_and_not_the_hosts()
    {
        var fault = new LibvirtVersions(new VirVersion(8, 0, 0), New, New).Check(Uri, Options);

        Assert.StartsWith("The libvirt's client library on the machine of this server is 8.0.0;", fault?.Detail, StringComparison.Ordinal);
        Assert.EndsWith("Update libvirt0 there.", fault!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void An_old_QEMU_is_named_with_its_version()
    {
        var fault = new LibvirtVersions(New, New, new VirVersion(5, 2, 0)).Check(Uri, Options);

        Assert.StartsWith($"The QEMU of {Uri} is 5.2.0; {Options.OldestQemu} or newer is needed.", fault?.Detail, StringComparison.Ordinal);
    }
}

using ControlPlane.Domain;
using ControlPlane.Hypervisor.Libvirt;
using ControlPlane.Libvirt.Faults.Tests.Infrastructure;
using ControlPlane.Testing;

namespace ControlPlane.Libvirt.Faults.Tests.Transports;

/// <summary>Certificates that do not fit together: what is wrong, on which machine, and what mends it.</summary>
[Collection(nameof(FaultRig))]
public sealed class CertificateTests(FaultRig rig)
{
    private string Good => Pki(rig.First.TlsUri);

    private string Stranger => Good.Replace("/client", "/stranger", StringComparison.Ordinal);

    [Fact]
    public async Task A_strangers_certificate_is_refused_and_the_fault_says_whose_it_is_and_what_the_host_wants()
    {
        var fault = await RefusedAsync(Stranger);

        Assert.Contains("has refused this machine's certificate", fault.Detail, StringComparison.Ordinal);
        Assert.Contains($"{Stranger}/clientcert.pem", fault.Detail, StringComparison.Ordinal);
        Assert.Contains("tls_allowed_dn_list", fault.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_that_this_machine_does_not_trust_is_told_from_one_that_does_not_trust_this_machine()
    {
        using var directory = TestDirectory.Create("pki");
        foreach (var file in Directory.EnumerateFiles(Good))
            File.Copy(file, Path.Combine(directory.Path, Path.GetFileName(file)));
        // Only the stranger's own authority: it has signed the stranger, and not the host.
        var authorities = (await File.ReadAllTextAsync(Path.Combine(Stranger, "cacert.pem"), TestContext.Current.CancellationToken)).Split("-----BEGIN");
        await File.WriteAllTextAsync(Path.Combine(directory.Path, "cacert.pem"), $"-----BEGIN{authorities[^1]}", TestContext.Current.CancellationToken);
        foreach (var file in new[] { "clientcert.pem", "clientkey.pem" })
            File.Copy(Path.Combine(Stranger, file), Path.Combine(directory.Path, file), overwrite: true);

        var fault = await RefusedAsync(directory.Path);

        Assert.Contains("does not trust the host's certificate", fault.Detail, StringComparison.Ordinal);
        Assert.Contains($"{directory.Path}/cacert.pem", fault.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_certificate_is_named_by_its_path()
    {
        var fault = await RefusedAsync("/nowhere");

        Assert.Contains("'/nowhere/cacert.pem'", fault.Detail, StringComparison.Ordinal);
        Assert.Contains("?pkipath=", fault.Detail, StringComparison.Ordinal);
    }

    private async Task<Fault> RefusedAsync(string pki)
    {
        await using var fleet = new LibvirtFleet(RigFleet.Options, TimeProvider.System);

        var fault = (await fleet.OpenAsync(RigFleet.HostAt("hv1", $"qemu+tls://{rig.First.Address}/system?pkipath={pki}"), TestContext.Current.CancellationToken)).Fault;

        Assert.Equal((FaultKind.Unavailable, "host-unavailable"), (fault?.Kind, fault?.Code));
        return fault!;
    }

    private static string Pki(string uri) => uri.Split("pkipath=")[1];
}

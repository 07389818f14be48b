using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ControlPlane.Lab.Hosts;

/// <summary>A certificate authority of the rig's own, and what it signs, laid out where libvirt and QEMU look for it.</summary>
internal sealed class Certificates : IDisposable
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    /// <summary>Clocks of clients may be behind.</summary>
    private static readonly TimeSpan Earlier = TimeSpan.FromDays(1);

    private static readonly TimeSpan Validity = TimeSpan.FromDays(3650);

    private readonly X509Certificate2 authority;
    private readonly DateTimeOffset now;

    private Certificates(X509Certificate2 authority, DateTimeOffset now) => (this.authority, this.now) = (authority, now);

    public static Certificates Create(string name, TimeProvider time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var now = time.GetUtcNow();
        return new Certificates(request.CreateSelfSigned(now - Earlier, now + Validity), now);
    }

    /// <summary>A host's /etc/pki: for the daemon, for the daemon as another one's client, and for QEMU's own connection in a migration.</summary>
    public void WriteHost(string pki, string name, IPAddress address)
    {
        var (server, serverKey) = Sign(name, ServerAuthentication, names =>
        {
            names.AddDnsName(name);
            names.AddIpAddress(address);
        });
        var (client, clientKey) = Sign(name, ClientAuthentication, names => names.AddDnsName(name));
        Write(Path.Combine(pki, "CA", "cacert.pem"), authority.ExportCertificatePem());
        Write(Path.Combine(pki, "libvirt", "servercert.pem"), server);
        Write(Path.Combine(pki, "libvirt", "private", "serverkey.pem"), serverKey);
        Write(Path.Combine(pki, "libvirt", "clientcert.pem"), client);
        Write(Path.Combine(pki, "libvirt", "private", "clientkey.pem"), clientKey);
        Write(Path.Combine(pki, "qemu", "ca-cert.pem"), authority.ExportCertificatePem());
        Write(Path.Combine(pki, "qemu", "server-cert.pem"), server);
        Write(Path.Combine(pki, "qemu", "server-key.pem"), serverKey);
        Write(Path.Combine(pki, "qemu", "client-cert.pem"), client);
        Write(Path.Combine(pki, "qemu", "client-key.pem"), clientKey);
    }

    /// <summary>What a client names with <c>?pkipath=</c>.</summary>
    /// <param name="trusted">Whose servers the client trusts.</param>
    public void WriteClient(string directory, string name, Certificates trusted)
    {
        var (client, key) = Sign(name, ClientAuthentication, names => names.AddDnsName(name));
        // Both authorities: libvirt's client looks whether it would trust itself, before it connects.
        Write(Path.Combine(directory, "cacert.pem"),
            string.Join('\n', new[] { trusted, this }.Distinct().Select(signer => signer.authority.ExportCertificatePem())));
        Write(Path.Combine(directory, "clientcert.pem"), client);
        Write(Path.Combine(directory, "clientkey.pem"), key);
    }

    public void Dispose() => authority.Dispose();

    private (string Certificate, string Key) Sign(string name, string purpose, Action<SubjectAlternativeNameBuilder> addNames)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name},O=ControlPlane lab", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, 0, critical: true));
        // Both are asked for by libvirt and QEMU, whatever the key's kind.
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], critical: false));
        var names = new SubjectAlternativeNameBuilder();
        addNames(names);
        request.CertificateExtensions.Add(names.Build());
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)(serial[0] & 0x7F | 0x40); // Positive, and never shortened.
        using var certificate = request.Create(authority, now - Earlier, now + Validity - Earlier, serial);
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    private static void Write(string file, string pem)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, $"{pem}\n");
        if (Path.GetFileName(file).EndsWith("key.pem", StringComparison.Ordinal))
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}

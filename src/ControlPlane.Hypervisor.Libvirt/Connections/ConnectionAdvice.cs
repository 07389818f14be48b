namespace ControlPlane.Hypervisor.Libvirt.Connections;

/// <summary>
/// What an operator can do about a connection that does not come about: libvirt's own words say where it broke, and often neither on which of the two
/// machines nor why.
/// </summary>
internal static class ConnectionAdvice
{
    private const string More = "See docs/libvirt.md for the commands that make certificates.";

    /// <summary>libvirt's words, and after them what is most likely wrong and mends it.</summary>
    public static string Explain(string uri, string words) => For(uri, words) is { } advice ? $"{words.TrimEnd('.')}. {advice}" : words;

    /// <summary>Null where libvirt's words say all there is to say.</summary>
    public static string? For(string uri, string words)
    {
        if (!Uri.TryCreate(uri, UriKind.Absolute, out var parsed))
            return null;
        bool Says(string part) => words.Contains(part, StringComparison.OrdinalIgnoreCase);
        return LibvirtUri.TransportOf(parsed) switch
        {
            "tls" => ForTls(parsed, Says),
            "ssh" => ForSsh(parsed, Says),
            "tcp" when Says("refused") => "Nobody listens there: libvirtd-tcp.socket must be started on the host, or listen_tcp set in its libvirtd.conf.",
            "tcp" when Says("authentication") => "The host asks for a password, which is not supported: set auth_tcp = \"none\" there, or use TLS.",
            _ => null,
        };
    }

    private static string? ForTls(Uri uri, Func<string, bool> says)
    {
        var (authority, certificate) = Files(uri);
        // The daemon says nothing to a client that it refuses; it closes.
        if (says("TLS confirmation") || says("TLS handshake failed"))
            return $"The host has refused this machine's certificate {certificate}: it is not signed by an authority in the host's /etc/pki/CA/cacert.pem, has expired, or its name is not in tls_allowed_dn_list of the host's libvirtd.conf. The host's libvirtd log says which. {More}";
        if (says("Cannot read CA certificate") || says("Cannot access CA certificate") || says("Cannot read client") || says("Unable to set x509"))
            return $"This machine needs an authority in {authority}, and {certificate} with its key; another directory for all three is named by ?pkipath= in the URI. {More}";
        if (says("Failed to verify peer's certificate"))
            return $"This machine does not trust the host's certificate: it is not signed by an authority in {authority} here, or has expired. {More}";
        if (says("does not match the hostname"))
            return $"The host's certificate has no subjectAltName for '{uri.Host}': call the host by a name that its certificate has, or make one for this name. {More}";
        if (says("has expired") || says("not yet active"))
            return $"Compare the clocks of both machines, and make a new certificate. {More}";
        return says("refused") ? "Nobody listens there: libvirtd-tls.socket must be started on the host, or listen_tls set in its libvirtd.conf." : null;
    }

    private static string? ForSsh(Uri uri, Func<string, bool> says)
    {
        var account = uri.UserInfo.Length > 0 ? $"{uri.UserInfo}@{uri.Host}" : uri.Host;
        var ssh = uri.Port > 0 ? $"ssh -p {uri.Port} {account}" : $"ssh {account}";
        var known = uri.Port > 0 ? $"[{uri.Host}]:{uri.Port}" : uri.Host;
        if (says("has changed"))
            return $"This machine knows the host by another key: the host was installed anew, or somebody stands in between. If it is the host's own, as the server's user run \"ssh-keygen -R '{known}'\" and then '{ssh}' once.";
        if (says("Host key verification failed"))
            return $"This machine does not know the host's key: as the server's user run '{ssh}' once and accept it, or add it to known_hosts.";
        if (says("Permission denied"))
            return $"The host takes none of this machine's keys: the server's user needs one without a passphrase in authorized_keys of '{account}' (or ?keyfile= in the URI).";
        if (says("Could not resolve hostname"))
            return $"There is no host of the name '{uri.Host}'.";
        if (says("virt-ssh-helper") || says("nc: ") || says("netcat") || says("libvirt-sock"))
            return $"ssh works, and libvirt on '{uri.Host}' does not answer: it needs libvirt-daemon-system there, and the account must be in the group libvirt.";
        return says("refused") ? $"No ssh server listens on '{uri.Host}'." : null;
    }

    /// <summary>Where libvirt's client looks: below the URI's pkipath, or in the machine's directories.</summary>
    private static (string Authority, string Certificate) Files(Uri uri)
    {
        var path = LibvirtUri.Parameter(uri, "pkipath");
        return path is null ? ("/etc/pki/CA/cacert.pem", "/etc/pki/libvirt/clientcert.pem") : ($"{path}/cacert.pem", $"{path}/clientcert.pem");
    }
}

using ControlPlane.Hypervisor.Libvirt.Connections;

namespace ControlPlane.Libvirt.Tests.Fleet;

/// <summary>libvirt 9.0's and OpenSSH's own words for connections that do not come about, and what we add to them.</summary>
public sealed class ConnectionAdviceTests
{
    [Theory]
    [InlineData("qemu+tls://kvm-1/system", "Unable to read TLS confirmation: Input/output error", "/etc/pki/libvirt/clientcert.pem")]
    [InlineData("qemu://kvm-1/system", "Unable to read TLS confirmation: Input/output error", "tls_allowed_dn_list")]
    [InlineData("qemu+tls://kvm-1/system?pkipath=/x%20y", "authentication failed: Failed to verify peer's certificate", "/x y/cacert.pem")]
    [InlineData("qemu+tls://kvm-1/system", "Cannot read CA certificate '/etc/pki/CA/cacert.pem': No such file or directory", "?pkipath=")]
    [InlineData("qemu+tls://kvm-1/system", "Certificate [session] owner does not match the hostname kvm-1", "no subjectAltName for 'kvm-1'")]
    [InlineData("qemu+tls://kvm-1/system", "The server certificate /x.pem has expired", "Compare the clocks")]
    [InlineData("qemu+tls://kvm-1/system", "unable to connect to server at 'kvm-1:16514': Connection refused", "libvirtd-tls.socket")]
    [InlineData("qemu+tcp://kvm-1/system", "unable to connect to server at 'kvm-1:16509': Connection refused", "libvirtd-tcp.socket")]
    [InlineData("qemu+tcp://kvm-1/system", "authentication unavailable: no polkit agent", "auth_tcp")]
    [InlineData("qemu+ssh://root@kvm-1/system", "Cannot recv data: Host key verification failed.: Connection reset by peer", "'ssh root@kvm-1'")]
    [InlineData("qemu+ssh://root@kvm-1/system", "Cannot recv data: root@kvm-1: Permission denied (publickey).: Connection reset by peer", "authorized_keys of 'root@kvm-1'")]
    [InlineData("qemu+ssh://root@kvm-1:22/system", "Host key for [kvm-1]:22 has changed and you have requested strict checking.\nHost key verification failed.: Connection reset by peer", "ssh-keygen -R '[kvm-1]:22'")]
    [InlineData("qemu+ssh://kvm-1/system", "Cannot recv data: ssh: connect to host kvm-1 port 22: Connection refused: Connection reset by peer", "No ssh server")]
    [InlineData("qemu+ssh://kvm-9/system", "Cannot recv data: ssh: Could not resolve hostname kvm-9: Name or service not known", "no host of the name 'kvm-9'")]
    [InlineData("qemu+ssh://kvm-1/system", "End of file while reading data: sh: 1: virt-ssh-helper: not found", "libvirt-daemon-system")]
    public void Libvirts_words_stay_and_what_mends_it_follows(string uri, string words, string advice)
    {
        var explained = ConnectionAdvice.Explain(uri, words);

        Assert.StartsWith(words.TrimEnd('.'), explained, StringComparison.Ordinal);
        Assert.Contains(advice, explained[words.Length..], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("qemu:///system", "Failed to connect socket to '/run/libvirt/libvirt-sock': No such file or directory")]
    [InlineData("qemu+tcp://kvm-1/system", "qemu+tcp://kvm-1/system did not answer within 10 s.")]
    public void Where_there_is_nothing_to_add_nothing_is(string uri, string words) => Assert.Equal(words, ConnectionAdvice.Explain(uri, words));
}

namespace LibvirtSharp;

/// <summary>libvirt's client library is not installed on this machine. The message names the packages that have it.</summary>
public sealed class LibvirtNotFoundException : Exception
{
    internal LibvirtNotFoundException(string library) : base(
        $"{library}, libvirt's client library, is not installed. Install it with 'apt-get install libvirt0' (Debian, Ubuntu), "
        + "'dnf install libvirt-libs' (Fedora, RHEL) or 'zypper install libvirt-libs' (SUSE).")
    {
    }
}

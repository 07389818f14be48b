namespace LibvirtSharp;

/// <summary>
/// libvirt's client library is not installed on this machine, or what is there cannot be loaded. The message says which, and names the packages
/// that have it.
/// </summary>
public sealed class LibvirtNotFoundException : Exception
{
    /// <param name="reason">What the loader says of a file that it found; null: it found none.</param>
    internal LibvirtNotFoundException(string library, string? reason) : base(
        $"{library}, libvirt's client library, {(reason is null ? "is not installed" : $"cannot be loaded ({reason})")}. Install it with 'apt-get install libvirt0' (Debian, Ubuntu), "
        + "'dnf install libvirt-libs' (Fedora, RHEL) or 'zypper install libvirt-libs' (SUSE).")
    {
    }
}

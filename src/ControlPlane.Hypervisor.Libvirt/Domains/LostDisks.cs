using System.Xml.Linq;
using ControlPlane.Domain;
using ControlPlane.Hypervisor.Libvirt.DomainXml;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Domains;

/// <summary>
/// Whether what a stored domain boots from is still there. A disk that is gone is never made anew: the guest would start from an empty one, and what
/// it had written would be missed without a word.
/// </summary>
internal static class LostDisks
{
    /// <summary>Null when every volume that the domain's definition names is in its pool; otherwise which is not, and where it should be.</summary>
    public static Fault? Find(VirConnect connection, KnownDomain known)
    {
        var disks = XElement.Parse(known.Handle.GetXml(VirDomainXmlFlags.Inactive)).Element("devices")?.Elements("disk") ?? [];
        return disks.Select(disk => Check(connection, known.Mark, disk)).FirstOrDefault(fault => fault is not null);
    }

    /// <summary>A start that libvirt refused over a file: which disk it is, in whose words it can be mended; null: it was another reason.</summary>
    public static Fault? Explain(VirConnect connection, KnownDomain known, LibvirtException refused)
    {
        if (Find(connection, known) is { } lost)
            return lost;
        return refused.Message.Contains("backing file", StringComparison.Ordinal)
            ? Fault.Impossible("image-missing",
                $"A disk of VM '{known.Mark.Name}' is a copy over an image that is not there any more. libvirt: {refused.Message.TrimEnd('.')}. Put the image back at that path: the disk holds only what differs from it.")
            : null;
    }

    private static Fault? Check(VirConnect connection, DomainMark mark, XElement disk)
    {
        if (disk.Element("source") is not { } source || (string?)source.Attribute("pool") is not { } poolName || (string?)source.Attribute("volume") is not { } volumeName)
            return null;
        using var pool = connection.LookupStoragePoolByName(poolName);
        if (!pool.IsActive())
            pool.Create();
        if (IsThere(pool, volumeName))
            return null;
        var directory = (string?)XElement.Parse(pool.GetXml()).Element("target")?.Element("path");
        var where = directory is null ? $"'{volumeName}'" : Path.Combine(directory, volumeName);
        return Fault.Impossible("disk-missing",
            $"{DiskVolumes.Describe(volumeName)} of VM '{mark.Name}' ({(string?)disk.Element("target")?.Attribute("dev")}) is gone: storage pool '{poolName}' of the host has no {where}. Put it back from a backup and run virsh pool-refresh {poolName}, or delete the VM. It is not made anew: what was on it would be missed without a word.");
    }

    /// <summary>A pool still lists a volume whose file was deleted behind its back; asking for its size looks at the file.</summary>
    private static bool IsThere(VirStoragePool pool, string name)
    {
        try
        {
            using var volume = pool.LookupVolumeByName(name);
            volume.GetUse();
            return true;
        }
        catch (LibvirtException e) when (!e.IsConnectionLost)
        {
            return false;
        }
    }
}

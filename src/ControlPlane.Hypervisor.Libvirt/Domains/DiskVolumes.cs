using System.Globalization;
using System.Xml.Linq;
using ControlPlane.Domain;
using ControlPlane.Hypervisor.Libvirt.Connections;
using ControlPlane.Hypervisor.Libvirt.DomainXml;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Domains;

/// <summary>
/// A VM's disks as volumes of a storage pool, named by the VM's id: the root disk is a thin copy over the image, the others are empty. What is
/// there is never made anew, so a repeated definition keeps its disks.
/// </summary>
internal sealed class DiskVolumes(HostSettings settings)
{
    private const long BytesPerGiB = 1L << 30;
    private static readonly string[] ImageSuffixes = ["", ".qcow2", ".raw", ".img"];

    public static string RootName(VmId vm) => $"{DomainMark.DomainName(vm)}-root.qcow2";

    public static string DiskName(VmId vm, string disk) => $"{DomainMark.DomainName(vm)}-disk-{DeviceAlias.Encode(disk)}.qcow2";

    /// <summary>For people: which disk a volume of ours is.</summary>
    public static string Describe(string volume)
    {
        const string Mark = "-disk-";
        var at = volume.IndexOf(Mark, StringComparison.Ordinal);
        return at < 0 ? "The root disk" : $"Disk '{DeviceAlias.Decode(Path.GetFileNameWithoutExtension(volume[(at + Mark.Length)..]))}'";
    }

    /// <summary>In the order of the guest's slots.</summary>
    public IReadOnlyList<DiskVolume> Of(DomainDefinition definition) =>
    [
        new DiskVolume(settings.DiskPool, RootName(definition.Ref.Vm)),
        .. definition.Disks.Select(d => new DiskVolume(settings.DiskPool, DiskName(definition.Ref.Vm, d.Name))),
    ];

    /// <summary>Whether all of them are here already: for an incoming VM that means shared storage.</summary>
    public Outcome<bool> Exist(VirConnect connection, DomainDefinition definition)
    {
        if (!OpenPool(connection, settings.DiskPool).TryGet(out var pool, out var fault))
            return fault;
        using (pool)
        {
            // A pool on shared storage knows files of other hosts only after a look.
            pool.Refresh();
            var names = Names(pool);
            return Of(definition).All(d => names.Contains(d.Name));
        }
    }

    /// <param name="empty">Without the image's content: a migration brings it.</param>
    public Fault? Ensure(VirConnect connection, DomainDefinition definition, bool empty = false)
    {
        if (!OpenPool(connection, settings.DiskPool).TryGet(out var pool, out var fault))
            return fault;
        using (pool)
        {
            var names = Names(pool);
            if (!names.Contains(RootName(definition.Ref.Vm)) && MakeRoot(connection, pool, definition, empty) is { } noRoot)
                return noRoot;
            foreach (var disk in definition.Disks.Where(d => !names.Contains(DiskName(definition.Ref.Vm, d.Name))))
                pool.CreateVolume(Text(Volume(DiskName(definition.Ref.Vm, disk.Name), disk.SizeGiB * BytesPerGiB, null))).Dispose();
        }
        return null;
    }

    /// <summary>Deletes all volumes that are named as this VM's; those that are gone are gone.</summary>
    public void Delete(VirConnect connection, VmId vm)
    {
        if (!OpenPool(connection, settings.DiskPool).TryGet(out var pool, out _))
            return;
        using (pool)
        {
            var (root, disks) = (RootName(vm), $"{DomainMark.DomainName(vm)}-disk-");
            foreach (var volume in pool.ListAllVolumes())
            {
                using (volume)
                {
                    if (volume.Name == root || volume.Name.StartsWith(disks, StringComparison.Ordinal))
                        Delete(volume);
                }
            }
        }
    }

    private static void Delete(VirStorageVol volume)
    {
        try
        {
            volume.Delete();
        }
        catch (LibvirtException e) when (e.Code == VirErrorNumber.NoStorageVol)
        {
            // Two may be deleting: the end of a copy and whoever deletes the VM meanwhile.
        }
    }

    private Fault? MakeRoot(VirConnect connection, VirStoragePool pool, DomainDefinition definition, bool empty)
    {
        if (!OpenPool(connection, settings.ImagePool).TryGet(out var images, out var fault))
            return fault;
        using (images)
        {
            if (FindImage(images, definition.Image) is not { } image)
            {
                images.Refresh();
                image = FindImage(images, definition.Image)!;
            }
            if (image is null)
                return Fault.Impossible("image-not-found", $"The host's storage pool '{settings.ImagePool}' has no volume {string.Join(", ", ImageSuffixes.Select(s => $"'{definition.Image}{s}'"))}. Upload it there, for example with: virsh vol-create-as and virsh vol-upload.");
            using (image)
            {
                var size = (long)image.GetUse().Capacity;
                pool.CreateVolume(Text(Volume(RootName(definition.Ref.Vm), size, empty ? null : image))).Dispose();
            }
        }
        return null;
    }

    private static VirStorageVol? FindImage(VirStoragePool pool, string name)
    {
        VirStorageVol? found = null;
        foreach (var volume in pool.ListAllVolumes())
        {
            if (found is null && ImageSuffixes.Any(s => volume.Name == name + s))
                found = volume;
            else
                volume.Dispose();
        }
        return found;
    }

    private static Outcome<VirStoragePool> OpenPool(VirConnect connection, string name)
    {
        try
        {
            var pool = connection.LookupStoragePoolByName(name);
            if (!pool.IsActive())
                pool.Create();
            return pool;
        }
        catch (LibvirtException e) when (e.Code == VirErrorNumber.NoStoragePool)
        {
            return Fault.Impossible("pool-not-found", $"The host has no storage pool '{name}' (libvirt: {e.Message}). Make one, for example with: virsh pool-define-as {name} dir --target /var/lib/libvirt/images, virsh pool-start {name}, virsh pool-autostart {name}; or name another in the host's label libvirt-disk-pool.");
        }
    }

    private static HashSet<string> Names(VirStoragePool pool)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var volume in pool.ListAllVolumes())
        {
            using (volume)
                names.Add(volume.Name);
        }
        return names;
    }

    private static XElement Volume(string name, long bytes, VirStorageVol? image)
    {
        var format = image is null ? null : (string?)XElement.Parse(image.GetXml()).Element("target")?.Element("format")?.Attribute("type");
        return new XElement("volume",
            new XElement("name", name),
            new XElement("capacity", new XAttribute("unit", "bytes"), bytes.ToString(CultureInfo.InvariantCulture)),
            new XElement("target", new XElement("format", new XAttribute("type", "qcow2"))),
            image is null ? null : new XElement("backingStore",
                new XElement("path", image.GetPath()), new XElement("format", new XAttribute("type", format ?? "raw"))));
    }

    private static string Text(XElement element) => element.ToString(SaveOptions.DisableFormatting);
}

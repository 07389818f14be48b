using System.Text;
using ControlPlane.Domain;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Devices;

/// <summary>
/// The real disk that all hosts of a fleet reach, as a logical unit of a storage network is reached, and the virtual disks that it is divided
/// into. A guest that moves finds its data, since only the right to write moves with it.
/// </summary>
internal sealed class SharedStorage : ICounting
{
    /// <summary>A cylinder is 512 KiB, so that a GiB is 2,048 of them.</summary>
    private const int Heads = 16;
    private const int SectorsPerTrack = 64;
    private const long SectorsPerGiB = 1L << 21;

    /// <summary>64 PiB: a fleet's worth.</summary>
    private const long DefaultCylinders = 1L << 37;

    private readonly RealDisk real;
    private readonly Dictionary<VmId, List<VirtualDisk>> disks = [];
    private readonly Dictionary<long, Stack<long>> freeBySize = [];
    private long nextCylinder;

    public SharedStorage(long cylinders = DefaultCylinders) => real = new RealDisk(new DiskGeometry(cylinders, Heads, SectorsPerTrack));

    public long AllocatedCylinders { get; private set; }

    public long HeldBytes => real.HeldBytes;

    /// <summary>The VM's virtual disk of that name, made when there is none yet. Null: no cylinders are left for it.</summary>
    public VirtualDisk? Provide(VmId vm, DiskSpec spec)
    {
        if (!disks.TryGetValue(vm, out var own))
            disks[vm] = own = [];
        if (own.Find(d => d.Name == spec.Name) is { } present)
            return present;
        var sectors = spec.SizeGiB * SectorsPerGiB;
        var geometry = real.Geometry with { Cylinders = (sectors + real.Geometry.SectorsPerCylinder - 1) / real.Geometry.SectorsPerCylinder };
        if (Allocate(geometry.Cylinders) is not { } first)
            return null;
        var made = new VirtualDisk(real, spec.Name, first, geometry, sectors);
        own.Add(made);
        return made;
    }

    public VirtualDisk? Find(VmId vm, string name) => disks.GetValueOrDefault(vm)?.Find(d => d.Name == name);

    /// <summary>The VM's disks that are not among the given ones are given back, with all that is on them.</summary>
    public void Release(VmId vm, IReadOnlyList<DiskSpec> except)
    {
        if (!disks.TryGetValue(vm, out var own))
            return;
        foreach (var disk in own.Where(d => !except.Any(s => s.Name == d.Name)).ToArray())
        {
            own.Remove(disk);
            disk.Discard();
            Free(disk.FirstCylinder, disk.Geometry.Cylinders);
        }
        if (own.Count == 0)
            disks.Remove(vm);
    }

    /// <summary>A master boot record: a jump to itself, the image's name, and the signature without which no firmware starts it.</summary>
    public static byte[] BootSectorOf(string image)
    {
        var sector = new byte[DiskGeometry.SectorBytes];
        (sector[0], sector[1]) = (0xeb, 0xfe);
        Encoding.ASCII.GetBytes(image.AsSpan(0, Math.Min(image.Length, 64)), sector.AsSpan(3));
        (sector[^2], sector[^1]) = (0x55, 0xaa);
        return sector;
    }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("shared-storage", "virtual-disks", disks.Values.Sum(d => d.Count));
        sheet.Add("shared-storage", "allocated-cylinders", AllocatedCylinders);
        sheet.Add("shared-storage", "held-bytes", HeldBytes);
    }

    private long? Allocate(long cylinders)
    {
        long first;
        if (freeBySize.TryGetValue(cylinders, out var free) && free.TryPop(out var reused))
        {
            first = reused;
        }
        else
        {
            if (nextCylinder > real.Geometry.Cylinders - cylinders)
                return null;
            first = nextCylinder;
            nextCylinder += cylinders;
        }
        AllocatedCylinders += cylinders;
        return first;
    }

    private void Free(long first, long cylinders)
    {
        AllocatedCylinders -= cylinders;
        if (!freeBySize.TryGetValue(cylinders, out var free))
            freeBySize[cylinders] = free = new Stack<long>();
        free.Push(first);
    }
}

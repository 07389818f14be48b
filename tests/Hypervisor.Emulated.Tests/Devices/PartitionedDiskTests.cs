using ControlPlane.Domain;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Devices;

namespace ControlPlane.Hypervisor.Emulated.Tests.Devices;

/// <summary>Virtual disks on one real disk: geometry, borders, owners, and who may write.</summary>
public sealed class PartitionedDiskTests
{
    private static readonly HostId Here = new(new Guid(1, 0, 0, [0, 0, 0, 0, 0, 0, 0, 1]));
    private static readonly HostId There = new(new Guid(2, 0, 0, [0, 0, 0, 0, 0, 0, 0, 2]));

    private readonly RealDisk real = new(new DiskGeometry(10_000, 16, 64));
    private int vms;

    [Theory] // A virtual disk of 100 cylinders that begins at cylinder 1000: the guest's cylinder k is the real cylinder 1000 + k.
    [InlineData(0, 0, 1)]
    [InlineData(42, 7, 33)]
    [InlineData(99, 15, 64)]
    public void A_guests_cylinder_is_so_many_cylinders_further_on_the_real_disk(long cylinder, int head, int sector)
    {
        var disk = Minidisk(first: 1000, cylinders: 100);

        Assert.Equal(new DiskPlace(1000 + cylinder, head, sector), disk.ToReal(new DiskPlace(cylinder, head, sector)));
    }

    [Theory]
    [InlineData(100, 0, 1)]
    [InlineData(-1, 0, 1)]
    [InlineData(0, 16, 1)]
    [InlineData(0, 0, 0)]
    [InlineData(0, 0, 65)]
    public void A_place_that_the_virtual_disk_does_not_have_is_nowhere_on_the_real_one(long cylinder, int head, int sector) =>
        Assert.Null(Minidisk(first: 1000, cylinders: 100).ToReal(new DiskPlace(cylinder, head, sector)));

    [Theory] // What a BIOS of old shows of the same disk: 255 heads and 63 sectors a track.
    [InlineData(0, 0, 1)]
    [InlineData(3, 254, 63)]
    [InlineData(5, 100, 17)]
    public void A_firmware_of_another_geometry_reaches_the_same_sectors_by_their_numbers(long cylinder, int head, int sector)
    {
        var disk = Minidisk(first: 1000, cylinders: 100);
        var seen = new DiskGeometry(6, 255, 63);
        var place = new DiskPlace(cylinder, head, sector);

        var block = (1000 * real.Geometry.SectorsPerCylinder) + seen.ToBlock(place);

        Assert.Equal(real.Geometry.ToPlace(block), disk.ToReal(place, seen));
        Assert.Equal(place, seen.ToPlace(seen.ToBlock(place)));
    }

    [Fact]
    public void A_request_beyond_the_end_is_an_error_and_never_touches_the_neighbour()
    {
        var (disk, neighbour) = (Minidisk(first: 1000, cylinders: 100), Minidisk(first: 1100, cylinders: 100));
        var data = Filled(2, 0xee);

        Assert.Equal(DiskResult.BeyondEnd, disk.Write(Here, disk.Sectors - 1, data));
        Assert.Equal(DiskResult.BeyondEnd, disk.Write(Here, disk.Sectors, data));
        Assert.Equal(DiskResult.BeyondEnd, disk.Write(Here, -1, data));
        Assert.Equal(DiskResult.BeyondEnd, disk.Write(Here, long.MaxValue, data));
        Assert.Equal(DiskResult.BeyondEnd, disk.Read(disk.Sectors - 1, data));

        Assert.True(IsEmpty(neighbour, 0) && IsEmpty(disk, disk.Sectors - 1));
        Assert.Equal(0, real.HeldBytes);
        Assert.Equal(DiskResult.Done, disk.Write(Here, disk.Sectors - 2, data));
        Assert.True(IsEmpty(neighbour, 0));
    }

    [Fact]
    public void A_neighbours_first_sector_is_not_what_was_written_to_ones_last()
    {
        var (disk, neighbour) = (Minidisk(first: 1000, cylinders: 100), Minidisk(first: 1100, cylinders: 100));
        disk.Write(Here, disk.Sectors - 1, Filled(1, 1));
        neighbour.Write(Here, 0, Filled(1, 2));

        Assert.Equal(Filled(1, 1), ReadOne(disk, disk.Sectors - 1));
        Assert.Equal(Filled(1, 2), ReadOne(neighbour, 0));
    }

    [Fact]
    public void Whoever_gets_a_deleted_disks_cylinders_reads_zeros()
    {
        var storage = new SharedStorage();
        var (first, next) = (NewVm(), NewVm());
        var spec = new DiskSpec("root", 10);
        var disk = storage.Provide(first, spec)!;
        disk.Reserve(Here);
        foreach (var sector in new[] { 0, 12_345, disk.Sectors - 1 })
            disk.Write(Here, sector, Filled(1, 0x5a));

        storage.Release(first, except: []);
        var reused = storage.Provide(next, spec)!;

        Assert.Equal(disk.FirstCylinder, reused.FirstCylinder);
        Assert.All(new[] { 0, 12_345, reused.Sectors - 1 }, sector => Assert.True(IsEmpty(reused, sector)));
        Assert.Equal(0, storage.HeldBytes);
        Assert.Equal((DiskResult.Gone, DiskResult.Gone), (disk.Write(Here, 0, Filled(1, 1)), disk.Read(0, new byte[512])));
    }

    [Fact]
    public void Disks_of_a_storage_never_overlap_whatever_comes_and_goes()
    {
        var storage = new SharedStorage();
        var draw = 88172645463325252UL;
        var held = new Dictionary<VmId, VirtualDisk>();
        for (var n = 0; n < 500; n++)
        {
            draw ^= draw << 13;
            draw ^= draw >> 7;
            draw ^= draw << 17;
            if (draw % 3 == 0 && held.Count > 0)
            {
                var (vm, _) = held.ElementAt((int)((draw >> 8) % (ulong)held.Count));
                storage.Release(vm, except: []);
                held.Remove(vm);
                continue;
            }
            var made = NewVm();
            held[made] = storage.Provide(made, new DiskSpec("root", 1 + (int)((draw >> 16) % 5)))!;
        }

        var inOrder = held.Values.OrderBy(d => d.FirstCylinder).ToArray();
        Assert.All(inOrder.Zip(inOrder.Skip(1)), pair => Assert.True(pair.First.FirstCylinder + pair.First.Geometry.Cylinders <= pair.Second.FirstCylinder));
        Assert.Equal(inOrder.Sum(d => d.Geometry.Cylinders), storage.AllocatedCylinders);
    }

    [Fact]
    public void A_storage_that_is_full_makes_no_disk()
    {
        var storage = new SharedStorage(cylinders: 2048 * 3);

        Assert.NotNull(storage.Provide(NewVm(), new DiskSpec("root", 2)));
        Assert.Null(storage.Provide(NewVm(), new DiskSpec("root", 2)));
        Assert.NotNull(storage.Provide(NewVm(), new DiskSpec("root", 1)));
    }

    [Fact]
    public void Only_the_host_that_reserved_a_disk_writes_and_the_others_writes_are_counted()
    {
        var disk = Minidisk(first: 0, cylinders: 10);
        var (here, there) = (new StorageCounters(), new StorageCounters());
        var (first, second) = (new StoragePath(disk, Here, here), new StoragePath(disk, There, there));
        Assert.Equal(DiskResult.Done, first.Write(0, Filled(1, 1)));

        second.Reserve();

        Assert.Equal(DiskResult.ReservationConflict, first.Write(0, Filled(1, 0xbb)));
        Assert.Equal(Filled(1, 1), ReadOne(disk, 0));
        Assert.Equal(DiskResult.Done, second.Write(0, Filled(1, 2)));
        first.Release();
        Assert.Equal(DiskResult.Done, second.Write(0, Filled(1, 3)));
        Assert.Equal((1, 0), (Value(here, "refused-writes"), Value(there, "refused-writes")));
    }

    [Fact]
    public void Zeros_that_are_written_take_no_memory()
    {
        var disk = Minidisk(first: 0, cylinders: 10);
        disk.Write(Here, 5, Filled(8, 0));
        Assert.Equal(0, real.HeldBytes);

        disk.Write(Here, 5, Filled(8, 1));
        Assert.Equal(8 * 512, real.HeldBytes);
        disk.Write(Here, 5, Filled(8, 0));
        Assert.Equal(0, real.HeldBytes);
    }

    private VmId NewVm() => new(new Guid(++vms, 0, 0, [0, 0, 0, 0, 0, 0, 0, 3]));

    private VirtualDisk Minidisk(long first, long cylinders)
    {
        var geometry = real.Geometry with { Cylinders = cylinders };
        var disk = new VirtualDisk(real, "root", first, geometry, geometry.Sectors);
        disk.Reserve(Here);
        return disk;
    }

    private static byte[] Filled(int sectors, byte value) => [.. Enumerable.Repeat(value, sectors * DiskGeometry.SectorBytes)];

    private static byte[] ReadOne(VirtualDisk disk, long sector)
    {
        var bytes = Filled(1, 0xff);
        Assert.Equal(DiskResult.Done, disk.Read(sector, bytes));
        return bytes;
    }

    private static bool IsEmpty(VirtualDisk disk, long sector) => ReadOne(disk, sector).All(b => b == 0);

    private static long Value(ICounting counting, string name)
    {
        var sheet = new CounterSheet();
        counting.CountInto(sheet);
        return sheet.ToGroups().SelectMany(g => g.Counters).Single(c => c.Name == name).Value;
    }
}

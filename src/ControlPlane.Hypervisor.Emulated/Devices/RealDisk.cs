namespace ControlPlane.Hypervisor.Emulated.Devices;

/// <summary>
/// A disk and what is written on it. A sector that holds nothing but zeros costs nothing, so a disk is as large as one likes and takes as much
/// memory as was written to it.
/// </summary>
internal sealed class RealDisk(DiskGeometry geometry)
{
    private readonly Dictionary<long, Dictionary<int, byte[]>> cylinders = [];
    private long heldSectors;

    public DiskGeometry Geometry => geometry;

    public long HeldBytes => heldSectors * DiskGeometry.SectorBytes;

    /// <param name="block">The first sector's number.</param>
    /// <param name="into">Whole sectors.</param>
    public void Read(long block, Span<byte> into)
    {
        CheckRange(block, into.Length);
        for (; into.Length > 0; into = into[DiskGeometry.SectorBytes..], block++)
        {
            var (cylinder, within) = Split(block);
            if (cylinders.TryGetValue(cylinder, out var sectors) && sectors.TryGetValue(within, out var bytes))
                bytes.CopyTo(into);
            else
                into[..DiskGeometry.SectorBytes].Clear();
        }
    }

    public void Write(long block, ReadOnlySpan<byte> data)
    {
        CheckRange(block, data.Length);
        for (; data.Length > 0; data = data[DiskGeometry.SectorBytes..], block++)
            WriteSector(block, data[..DiskGeometry.SectorBytes]);
    }

    /// <summary>From now on these cylinders read as zeros.</summary>
    public void Discard(long firstCylinder, long count)
    {
        var held = count < cylinders.Count
            ? Enumerable.Range(0, (int)count).Select(n => firstCylinder + n).Where(cylinders.ContainsKey).ToArray()
            : cylinders.Keys.Where(c => c >= firstCylinder && c < firstCylinder + count).ToArray();
        foreach (var cylinder in held)
        {
            heldSectors -= cylinders[cylinder].Count;
            cylinders.Remove(cylinder);
        }
    }

    private void WriteSector(long block, ReadOnlySpan<byte> data)
    {
        var (cylinder, within) = Split(block);
        var sectors = cylinders.GetValueOrDefault(cylinder);
        if (!data.ContainsAnyExcept((byte)0))
        {
            if (sectors is not null && sectors.Remove(within))
                heldSectors--;
            return;
        }
        if (sectors is null)
            cylinders[cylinder] = sectors = [];
        if (!sectors.TryGetValue(within, out var bytes))
        {
            sectors[within] = bytes = new byte[DiskGeometry.SectorBytes];
            heldSectors++;
        }
        data.CopyTo(bytes);
    }

    private (long Cylinder, int Within) Split(long block) =>
        (block / geometry.SectorsPerCylinder, (int)(block % geometry.SectorsPerCylinder));

    private void CheckRange(long block, int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bytes % DiskGeometry.SectorBytes, 0, nameof(bytes));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)(block + (bytes / DiskGeometry.SectorBytes)), (ulong)geometry.Sectors, nameof(block));
    }
}

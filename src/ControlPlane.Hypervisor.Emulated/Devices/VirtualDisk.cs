using ControlPlane.Domain;

namespace ControlPlane.Hypervisor.Emulated.Devices;

internal enum DiskResult
{
    Done,

    /// <summary>The request reaches beyond the virtual disk; nothing was read or written.</summary>
    BeyondEnd,

    /// <summary>Another host has reserved the disk for its writes; nothing was written.</summary>
    ReservationConflict,

    /// <summary>The disk was given back.</summary>
    Gone,
}

/// <summary>
/// A guest's disk: some cylinders of a real one (a minidisk). The guest counts from 0; each request is translated to the place that it really
/// has, after the check that it ends inside.
/// </summary>
/// <param name="firstCylinder">Of the real disk: the guest's cylinder k is the real cylinder <paramref name="firstCylinder"/> + k.</param>
/// <param name="geometry">As many cylinders as it has, with heads and sectors as the real disk's.</param>
/// <param name="sectors">What the guest was promised; what is left of the last cylinder is nobody's.</param>
internal sealed class VirtualDisk(RealDisk real, string name, long firstCylinder, DiskGeometry geometry, long sectors)
{
    private bool gone;

    public string Name => name;

    public long FirstCylinder => firstCylinder;

    public DiskGeometry Geometry => geometry;

    public long Sectors => sectors;

    public long SizeGiB => sectors * DiskGeometry.SectorBytes >> 30;

    /// <summary>
    /// The host that may write (SPC-4, 5.13: a reservation of type Write Exclusive); null: none may. Taking it preempts whoever had it, as a
    /// host must that starts a guest whose last host is lost.
    /// </summary>
    public HostId? Writer { get; private set; }

    public void Reserve(HostId host) => Writer = host;

    /// <summary>A host whose process begins anew finds its guests running: it takes what nobody else has taken meanwhile.</summary>
    public void ReserveIfFree(HostId host) => Writer ??= host;

    public void Release(HostId host)
    {
        if (Writer == host)
            Writer = null;
    }

    /// <summary>The place on the real disk; null: the virtual disk has no such place.</summary>
    /// <param name="seen">The geometry that the guest's firmware goes by; null: the virtual disk's own.</param>
    public DiskPlace? ToReal(DiskPlace place, DiskGeometry? seen = null)
    {
        var by = seen ?? geometry;
        return by.Contains(place) && ToReal(by.ToBlock(place), 1) is { } block ? real.Geometry.ToPlace(block) : null;
    }

    /// <summary>The first sector on the real disk; null: not all of these sectors are on the virtual one.</summary>
    public long? ToReal(long sector, long count) =>
        sector < 0 || count < 0 || sector > sectors - count ? null : (firstCylinder * real.Geometry.SectorsPerCylinder) + sector;

    public DiskResult Read(long sector, Span<byte> into)
    {
        if (gone)
            return DiskResult.Gone;
        if (ToReal(sector, into.Length / DiskGeometry.SectorBytes) is not { } block)
            return DiskResult.BeyondEnd;
        real.Read(block, into);
        return DiskResult.Done;
    }

    public DiskResult Write(HostId host, long sector, ReadOnlySpan<byte> data)
    {
        if (gone)
            return DiskResult.Gone;
        if (Writer != host)
            return DiskResult.ReservationConflict;
        if (ToReal(sector, data.Length / DiskGeometry.SectorBytes) is not { } block)
            return DiskResult.BeyondEnd;
        real.Write(block, data);
        return DiskResult.Done;
    }

    /// <summary>Fills an empty disk: its first sector is the boot sector of what it was made from.</summary>
    public void Install(ReadOnlySpan<byte> bootSector)
    {
        Span<byte> first = stackalloc byte[DiskGeometry.SectorBytes];
        if (Read(0, first) == DiskResult.Done && !first.ContainsAnyExcept((byte)0))
            real.Write(ToReal(0, 1)!.Value, bootSector);
    }

    /// <summary>The cylinders are given back. Nothing of their content is left for whoever has them next.</summary>
    public void Discard()
    {
        real.Discard(firstCylinder, geometry.Cylinders);
        gone = true;
    }
}

namespace ControlPlane.Hypervisor.Emulated.Devices;

/// <summary>Where a sector lies on a disk of cylinders. Cylinders and heads are counted from 0, sectors of a track from 1.</summary>
internal readonly record struct DiskPlace(long Cylinder, int Head, int Sector);

/// <summary>How a disk is divided, and how its sectors are numbered in one row (logical block addresses): sector by sector, head by head, cylinder by cylinder.</summary>
internal readonly record struct DiskGeometry(long Cylinders, int Heads, int SectorsPerTrack)
{
    public const int SectorBytes = 512;

    public long SectorsPerCylinder => (long)Heads * SectorsPerTrack;

    public long Sectors => Cylinders * SectorsPerCylinder;

    public bool Contains(DiskPlace place) =>
        place.Cylinder >= 0 && place.Cylinder < Cylinders && place.Head >= 0 && place.Head < Heads && place.Sector >= 1 && place.Sector <= SectorsPerTrack;

    public long ToBlock(DiskPlace place) => (((place.Cylinder * Heads) + place.Head) * SectorsPerTrack) + place.Sector - 1;

    public DiskPlace ToPlace(long block) => new(
        block / SectorsPerCylinder, (int)(block / SectorsPerTrack % Heads), (int)(block % SectorsPerTrack) + 1);
}

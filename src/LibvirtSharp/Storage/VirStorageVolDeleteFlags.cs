namespace LibvirtSharp;

/// <summary>How a volume is deleted. Stands for C's <c>virStorageVolDeleteFlags</c>.</summary>
[Flags]
public enum VirStorageVolDeleteFlags : uint
{
    /// <summary><c>VIR_STORAGE_VOL_DELETE_NORMAL</c>.</summary>
    Normal = 0,

    /// <summary><c>VIR_STORAGE_VOL_DELETE_ZEROED</c>.</summary>
    Zeroed = 1u << 0,

    /// <summary><c>VIR_STORAGE_VOL_DELETE_WITH_SNAPSHOTS</c>.</summary>
    WithSnapshots = 1u << 1,
}

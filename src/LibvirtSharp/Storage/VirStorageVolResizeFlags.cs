namespace LibvirtSharp;

/// <summary>How a volume is resized. Stands for C's <c>virStorageVolResizeFlags</c>.</summary>
[Flags]
public enum VirStorageVolResizeFlags : uint
{
    /// <summary>No flag: the default.</summary>
    None = 0,

    /// <summary><c>VIR_STORAGE_VOL_RESIZE_ALLOCATE</c>.</summary>
    Allocate = 1u << 0,

    /// <summary><c>VIR_STORAGE_VOL_RESIZE_DELTA</c>.</summary>
    Delta = 1u << 1,

    /// <summary><c>VIR_STORAGE_VOL_RESIZE_SHRINK</c>.</summary>
    Shrink = 1u << 2,
}

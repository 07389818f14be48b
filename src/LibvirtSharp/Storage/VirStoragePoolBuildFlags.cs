namespace LibvirtSharp;

/// <summary>How a pool's place is made. Stands for C's <c>virStoragePoolBuildFlags</c>.</summary>
[Flags]
public enum VirStoragePoolBuildFlags : uint
{
    /// <summary><c>VIR_STORAGE_POOL_BUILD_NEW</c>: made from nothing.</summary>
    New = 0,

    /// <summary><c>VIR_STORAGE_POOL_BUILD_REPAIR</c>: mended.</summary>
    Repair = 1u << 0,

    /// <summary><c>VIR_STORAGE_POOL_BUILD_RESIZE</c>: made larger.</summary>
    Resize = 1u << 1,

    /// <summary><c>VIR_STORAGE_POOL_BUILD_NO_OVERWRITE</c>: refused when something is there.</summary>
    NoOverwrite = 1u << 2,

    /// <summary><c>VIR_STORAGE_POOL_BUILD_OVERWRITE</c>: what is there is lost.</summary>
    Overwrite = 1u << 3,
}

namespace LibvirtSharp;

/// <summary>How a pool is started. Stands for C's <c>virStoragePoolCreateFlags</c>.</summary>
[Flags]
public enum VirStoragePoolCreateFlags : uint
{
    /// <summary><c>VIR_STORAGE_POOL_CREATE_NORMAL</c>.</summary>
    Normal = 0,

    /// <summary><c>VIR_STORAGE_POOL_CREATE_WITH_BUILD</c>.</summary>
    WithBuild = 1u << 0,

    /// <summary><c>VIR_STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE</c>.</summary>
    WithBuildOverwrite = 1u << 1,

    /// <summary><c>VIR_STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE</c>.</summary>
    WithBuildNoOverwrite = 1u << 2,
}

namespace LibvirtSharp;

/// <summary>What a pool is doing. Stands for C's <c>virStoragePoolState</c>.</summary>
public enum VirStoragePoolState
{
    /// <summary><c>VIR_STORAGE_POOL_INACTIVE</c>.</summary>
    Inactive = 0,

    /// <summary><c>VIR_STORAGE_POOL_BUILDING</c>.</summary>
    Building = 1,

    /// <summary><c>VIR_STORAGE_POOL_RUNNING</c>.</summary>
    Running = 2,

    /// <summary><c>VIR_STORAGE_POOL_DEGRADED</c>.</summary>
    Degraded = 3,

    /// <summary><c>VIR_STORAGE_POOL_INACCESSIBLE</c>.</summary>
    Inaccessible = 4,
}

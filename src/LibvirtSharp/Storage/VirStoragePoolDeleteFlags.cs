namespace LibvirtSharp;

/// <summary>How a pool's place is removed. Stands for C's <c>virStoragePoolDeleteFlags</c>.</summary>
[Flags]
public enum VirStoragePoolDeleteFlags : uint
{
    /// <summary><c>VIR_STORAGE_POOL_DELETE_NORMAL</c>.</summary>
    Normal = 0,

    /// <summary><c>VIR_STORAGE_POOL_DELETE_ZEROED</c>.</summary>
    Zeroed = 1u << 0,
}

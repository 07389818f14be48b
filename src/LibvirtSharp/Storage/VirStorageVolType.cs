namespace LibvirtSharp;

/// <summary>What a volume is on its host. Stands for C's <c>virStorageVolType</c>.</summary>
public enum VirStorageVolType
{
    /// <summary><c>VIR_STORAGE_VOL_FILE</c>.</summary>
    File = 0,

    /// <summary><c>VIR_STORAGE_VOL_BLOCK</c>.</summary>
    Block = 1,

    /// <summary><c>VIR_STORAGE_VOL_DIR</c>.</summary>
    Dir = 2,

    /// <summary><c>VIR_STORAGE_VOL_NETWORK</c>.</summary>
    Network = 3,

    /// <summary><c>VIR_STORAGE_VOL_NETDIR</c>.</summary>
    Netdir = 4,

    /// <summary><c>VIR_STORAGE_VOL_PLOOP</c>.</summary>
    Ploop = 5,
}

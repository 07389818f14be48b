namespace LibvirtSharp;

/// <summary>How a volume's bytes are fetched. Stands for C's <c>virStorageVolDownloadFlags</c>.</summary>
[Flags]
public enum VirStorageVolDownloadFlags : uint
{
    /// <summary>No flag: the default.</summary>
    None = 0,

    /// <summary><c>VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM</c>.</summary>
    SparseStream = 1u << 0,
}

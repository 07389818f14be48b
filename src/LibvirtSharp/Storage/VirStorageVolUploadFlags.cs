namespace LibvirtSharp;

/// <summary>How a volume's bytes are sent. Stands for C's <c>virStorageVolUploadFlags</c>.</summary>
[Flags]
public enum VirStorageVolUploadFlags : uint
{
    /// <summary>No flag: the default.</summary>
    None = 0,

    /// <summary><c>VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM</c>.</summary>
    SparseStream = 1u << 0,
}

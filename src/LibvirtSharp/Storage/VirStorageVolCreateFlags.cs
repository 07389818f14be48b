namespace LibvirtSharp;

/// <summary>How a volume is made. Stands for C's <c>virStorageVolCreateFlags</c>.</summary>
[Flags]
public enum VirStorageVolCreateFlags : uint
{
    /// <summary>No flag: the default.</summary>
    None = 0,

    /// <summary><c>VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA</c>: qcow2 tables are allocated at once.</summary>
    PreallocMetadata = 1u << 0,

    /// <summary><c>VIR_STORAGE_VOL_CREATE_REFLINK</c>: a copy shares its blocks where the file system can.</summary>
    Reflink = 1u << 1,

    /// <summary><c>VIR_STORAGE_VOL_CREATE_VALIDATE</c>: the XML must match its schema.</summary>
    Validate = 1u << 2,
}

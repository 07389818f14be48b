namespace LibvirtSharp;

/// <summary>Which of a volume's sizes are wanted. Stands for C's <c>virStorageVolInfoFlags</c>.</summary>
[Flags]
public enum VirStorageVolInfoFlags : uint
{
    /// <summary><c>VIR_STORAGE_VOL_USE_ALLOCATION</c>.</summary>
    UseAllocation = 0,

    /// <summary><c>VIR_STORAGE_VOL_GET_PHYSICAL</c>.</summary>
    GetPhysical = 1u << 0,
}

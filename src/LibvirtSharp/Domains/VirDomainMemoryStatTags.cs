namespace LibvirtSharp;

/// <summary>A figure of the guest's memory. Stands for C's <c>virDomainMemoryStatTags</c>.</summary>
public enum VirDomainMemoryStatTags
{
    /// <summary><c>VIR_DOMAIN_MEMORY_STAT_SWAP_IN</c>: read from swap, KiB.</summary>
    SwapIn = 0,

    /// <summary><c>VIR_DOMAIN_MEMORY_STAT_SWAP_OUT</c>: written to swap, KiB.</summary>
    SwapOut = 1,

    /// <summary><c>VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT</c>: page faults that needed a disk.</summary>
    MajorFault = 2,

    /// <summary><c>VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT</c>: page faults that did not.</summary>
    MinorFault = 3,

    /// <summary><c>VIR_DOMAIN_MEMORY_STAT_UNUSED</c>: not used by the guest for anything, KiB.</summary>
    Unused = 4,

    /// <summary><c>VIR_DOMAIN_MEMORY_STAT_AVAILABLE</c>: usable by the guest as it sees it, KiB.</summary>
    Available = 5,

    /// <summary><c>VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON</c>: what the balloon leaves to it, KiB.</summary>
    ActualBalloon = 6,

    /// <summary><c>VIR_DOMAIN_MEMORY_STAT_RSS</c>: resident set of its process on the host, KiB.</summary>
    Rss = 7,

    /// <summary><c>VIR_DOMAIN_MEMORY_STAT_USABLE</c>: could be taken away without swapping, KiB.</summary>
    Usable = 8,

    /// <summary><c>VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE</c>: when the guest last told, seconds since 1970.</summary>
    LastUpdate = 9,

    /// <summary><c>VIR_DOMAIN_MEMORY_STAT_DISK_CACHES</c>: held by reclaimable caches, KiB.</summary>
    DiskCaches = 10,

    /// <summary><c>VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC</c>: huge pages allocated by the guest.</summary>
    HugetlbPgalloc = 11,

    /// <summary><c>VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL</c>: huge pages that the guest did not get.</summary>
    HugetlbPgfail = 12,

    /// <summary><c>VIR_DOMAIN_MEMORY_STAT_NR</c>.</summary>
    Nr = 13,
}

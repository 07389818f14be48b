namespace LibvirtSharp;

/// <summary>Names of a job's statistics, C's <c>VIR_DOMAIN_JOB_*</c>; <see cref="VirJobStatistics"/> reads the usual ones.</summary>
public static class VirJobParameter
{
    /// <summary>int: a <see cref="VirDomainJobOperation"/>.</summary>
    public const string Operation = "operation";

    /// <summary>ulong, ms.</summary>
    public const string TimeElapsed = "time_elapsed";

    /// <summary>ulong, ms: without the hand-over from source to target, which is measured by two clocks.</summary>
    public const string TimeElapsedNet = "time_elapsed_net";

    /// <summary>ulong, ms: estimated.</summary>
    public const string TimeRemaining = "time_remaining";

    /// <summary>ulong, ms: the guest stood, or is expected to stand, still for so long.</summary>
    public const string Downtime = "downtime";

    /// <summary>ulong, ms: without the hand-over from source to target, which is measured by two clocks.</summary>
    public const string DowntimeNet = "downtime_net";

    /// <summary>ulong, ms: before the copy began.</summary>
    public const string SetupTime = "setup_time";

    /// <summary>ulong, bytes: memory and disks.</summary>
    public const string DataTotal = "data_total";

    /// <summary>ulong, bytes.</summary>
    public const string DataProcessed = "data_processed";

    /// <summary>ulong, bytes.</summary>
    public const string DataRemaining = "data_remaining";

    /// <summary>ulong, bytes.</summary>
    public const string MemoryTotal = "memory_total";

    /// <summary>ulong, bytes: sent so far, pages that were sent again included.</summary>
    public const string MemoryProcessed = "memory_processed";

    /// <summary>ulong, bytes.</summary>
    public const string MemoryRemaining = "memory_remaining";

    /// <summary>ulong: pages that were one byte all over and sent as such.</summary>
    public const string MemoryConstant = "memory_constant";

    /// <summary>ulong: pages sent whole.</summary>
    public const string MemoryNormal = "memory_normal";

    /// <summary>ulong, bytes sent as whole pages.</summary>
    public const string MemoryNormalBytes = "memory_normal_bytes";

    /// <summary>ulong, bytes/s.</summary>
    public const string MemoryBps = "memory_bps";

    /// <summary>ulong: pages that the guest dirties a second.</summary>
    public const string MemoryDirtyRate = "memory_dirty_rate";

    /// <summary>ulong, bytes.</summary>
    public const string MemoryPageSize = "memory_page_size";

    /// <summary>ulong: passes over the memory.</summary>
    public const string MemoryIteration = "memory_iteration";

    /// <summary>ulong: pages that the target had to ask for in post-copy.</summary>
    public const string MemoryPostcopyRequests = "memory_postcopy_requests";

    /// <summary>ulong, bytes.</summary>
    public const string DiskTotal = "disk_total";

    /// <summary>ulong, bytes.</summary>
    public const string DiskProcessed = "disk_processed";

    /// <summary>ulong, bytes.</summary>
    public const string DiskRemaining = "disk_remaining";

    /// <summary>ulong, bytes/s.</summary>
    public const string DiskBps = "disk_bps";

    /// <summary>int, percent that the guest's vCPUs are slowed down by.</summary>
    public const string AutoConvergeThrottle = "auto_converge_throttle";

    /// <summary>bool: whether a job that ended succeeded.</summary>
    public const string Success = "success";

    /// <summary>string: why a job that ended failed.</summary>
    public const string ErrorMessage = "errmsg";
}

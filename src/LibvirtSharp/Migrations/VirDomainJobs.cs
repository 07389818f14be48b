namespace LibvirtSharp;

/// <summary>A job's statistics at one time. Sizes are bytes; null where the job or the hypervisor has no such figure.</summary>
/// <param name="Type">Where the job stands.</param>
/// <param name="Parameters">All figures, as <see cref="VirJobParameter"/> names them.</param>
public sealed record VirJobStatistics(VirDomainJobType Type, VirTypedParameters Parameters)
{
    /// <summary>Whether the job is under way.</summary>
    public bool IsActive => Type is VirDomainJobType.Bounded or VirDomainJobType.Unbounded;

    /// <summary>What the job does.</summary>
    public VirDomainJobOperation Operation => (VirDomainJobOperation)(Parameters.GetInt64(VirJobParameter.Operation) ?? 0);

    /// <summary>Since the job began.</summary>
    public TimeSpan? Elapsed => Milliseconds(VirJobParameter.TimeElapsed);

    /// <summary>How long the guest stood still; while the job runs, how long it is expected to.</summary>
    public TimeSpan? Downtime => Milliseconds(VirJobParameter.Downtime);

    /// <summary>Memory and disks.</summary>
    public ulong? DataTotalBytes => Parameters.GetUInt64(VirJobParameter.DataTotal);

    public ulong? DataProcessedBytes => Parameters.GetUInt64(VirJobParameter.DataProcessed);

    public ulong? DataRemainingBytes => Parameters.GetUInt64(VirJobParameter.DataRemaining);

    public ulong? MemoryTotalBytes => Parameters.GetUInt64(VirJobParameter.MemoryTotal);

    /// <summary>Pages sent again are counted again, so it may exceed the total.</summary>
    public ulong? MemoryProcessedBytes => Parameters.GetUInt64(VirJobParameter.MemoryProcessed);

    public ulong? MemoryRemainingBytes => Parameters.GetUInt64(VirJobParameter.MemoryRemaining);

    public ulong? MemoryBytesPerSecond => Parameters.GetUInt64(VirJobParameter.MemoryBps);

    /// <summary>How fast the guest dirties its memory.</summary>
    public ulong? DirtyPagesPerSecond => Parameters.GetUInt64(VirJobParameter.MemoryDirtyRate);

    public ulong? PageSizeBytes => Parameters.GetUInt64(VirJobParameter.MemoryPageSize);

    /// <summary>Passes over the memory so far, counted from 1.</summary>
    public ulong? Iteration => Parameters.GetUInt64(VirJobParameter.MemoryIteration);

    /// <summary>How much auto-converge slows the vCPUs down.</summary>
    public long? ThrottlePercent => Parameters.GetInt64(VirJobParameter.AutoConvergeThrottle);

    private TimeSpan? Milliseconds(string name) => Parameters.GetUInt64(name) is { } value ? TimeSpan.FromMilliseconds((double)value) : null;
}

/// <summary>The long job that a domain has, such as a migration or a save; at most one at a time.</summary>
public static unsafe class VirDomainJobs
{
    /// <summary>
    /// The job under way, or the last one that ended. Asks the VMM, but not while another request to it is under way. Stands for
    /// <c>virDomainGetJobStats</c>.
    /// </summary>
    public static VirJobStatistics GetJobStatistics(this VirDomain domain, VirDomainGetJobStatsFlags flags = VirDomainGetJobStatsFlags.None)
    {
        int type, count;
        NativeTypedParameter* parameters;
        Native.Check(NativeMigration.virDomainGetJobStats(domain.Handle, &type, &parameters, &count, (uint)flags));
        return new((VirDomainJobType)type, TypedParameterBlock.Take(parameters, count));
    }

    /// <summary>
    /// Whether there is a job, and which kind: the older, shorter call, which more drivers have. Stands for <c>virDomainGetJobInfo</c>.
    /// </summary>
    public static VirDomainJobType GetJobType(this VirDomain domain)
    {
        NativeDomainJobInfoLayout job;
        Native.Check(NativeMigration.virDomainGetJobInfo(domain.Handle, &job));
        return (VirDomainJobType)job.type;
    }

    /// <summary>
    /// Asks for the domain's job to be aborted. A migration then fails with <see cref="VirErrorNumber.OperationAborted"/> and the domain
    /// runs on at its source, unless it was past the switch-over. Stands for <c>virDomainAbortJob</c> and, with flags,
    /// <c>virDomainAbortJobFlags</c> (libvirt 8.5).
    /// </summary>
    /// <exception cref="LibvirtException"><see cref="VirErrorNumber.OperationInvalid"/> when there is none to abort.</exception>
    public static void AbortJob(this VirDomain domain, VirDomainAbortJobFlags flags = VirDomainAbortJobFlags.None)
    {
        if (flags == VirDomainAbortJobFlags.None)
            Native.Check(NativeMigration.virDomainAbortJob(domain.Handle));
        else
            Native.Check(NativeMigration.virDomainAbortJobFlags(domain.Handle, (uint)flags));
    }
}

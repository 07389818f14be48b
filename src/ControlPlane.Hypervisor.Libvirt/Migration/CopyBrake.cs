using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Migration;

/// <summary>Where a copy is on its way to the switch-over.</summary>
internal enum CopyDistance
{
    Far,

    /// <summary>The end is in reach: whoever decides over the switch-over should do so now, while the rest is still being copied.</summary>
    Near,

    /// <summary>Without a brake the guest may go over at any moment.</summary>
    AtEnd,
}

/// <summary>
/// The nearest to a hold that libvirt lets a client have. A copy is let run with next to no downtime allowed, and braked to the slowest rate
/// there is shortly before it ends: so the guest stays on the source for as long as the rest lasts at that rate. What is left at last goes
/// over by itself. That the end is near is said well before, so that a copy which is let go in time is never braked.
/// </summary>
/// <param name="tellAhead">How much is left, in time at the present rate, when the end counts as near.</param>
/// <param name="brakeAhead">How much is left when only the brake is sure to hold the guest.</param>
/// <param name="bandwidthMiBPerSecond">What the copy may send at most; null: what the link gives.</param>
internal sealed class CopyBrake(TimeSpan tellAhead, TimeSpan brakeAhead, long? bandwidthMiBPerSecond = null)
{
    /// <summary>libvirt counts whole MiB/s.</summary>
    public const ulong SlowestMiBPerSecond = 1;

    /// <summary>
    /// What a guest may be stopped for before it is let go. Not zero: QEMU (to 7.2) looks for what the guest has dirtied only when less is left
    /// than fits into the downtime, so with zero each guest would go over at the end of the first pass, for as long a stop as that then takes.
    /// </summary>
    public static readonly TimeSpan LeastDowntime = TimeSpan.FromMilliseconds(1);

    /// <summary>A link of 10 Gbit/s, until the copy's own rate is known.</summary>
    private const double TypicalBytesPerSecond = 1.25e9;

    private readonly double supposedBytesPerSecond = Math.Min(TypicalBytesPerSecond, (bandwidthMiBPerSecond ?? CopyJob.UnlimitedMiBPerSecond) * (double)(1 << 20));

    private ulong passSeen;
    private ulong leftSeen;
    private DateTimeOffset seenAt;
    private double rateBytesPerSecond;
    private bool isNear;

    /// <summary>
    /// What QEMU is told of a limit. libvirt counts whole milliseconds; less than one would be none, and none is not "never stopped" but
    /// "stopped at the end of the first pass" (see <see cref="LeastDowntime"/>).
    /// </summary>
    public static TimeSpan Tellable(TimeSpan limit) => limit < LeastDowntime ? LeastDowntime : limit;

    /// <param name="downtimeLimit">What the caller allows.</param>
    /// <param name="now">When the job was looked at.</param>
    public CopyDistance Judge(VirJobStatistics job, TimeSpan downtimeLimit, DateTimeOffset now)
    {
        if (!job.IsActive || job.MemoryTotalBytes is not > 0 || job.MemoryRemainingBytes is not { } left || job.Iteration is not { } pass)
            return CopyDistance.Far;
        var isNewPass = pass != passSeen;
        MeasureRate(job, left, isNewPass, now);
        (passSeen, leftSeen, seenAt) = (pass, left, now);
        var distance = pass <= 1 ? InFirstPass(left, job.MemoryProcessedBytes > 0) : InLaterPass(left, isNewPass, downtimeLimit);
        isNear |= distance != CopyDistance.Far;
        return distance;
    }

    /// <summary>What is left shrinks steadily; a guest that writes little goes over at the end of it.</summary>
    private CopyDistance InFirstPass(ulong left, bool hasBegun)
    {
        if (!hasBegun)
            return CopyDistance.Far;
        var isRateKnown = rateBytesPerSecond > 0;
        var lasts = left / (isRateKnown ? rateBytesPerSecond : supposedBytesPerSecond);
        if (isRateKnown && lasts <= brakeAhead.TotalSeconds)
            return CopyDistance.AtEnd;
        return lasts <= tellAhead.TotalSeconds ? CopyDistance.Near : CopyDistance.Far;
    }

    /// <summary>Later passes begin with what the guest has dirtied: converged when that fits into the downtime.</summary>
    private CopyDistance InLaterPass(ulong left, bool isNewPass, TimeSpan downtimeLimit) =>
        isNear || (isNewPass && left <= rateBytesPerSecond * downtimeLimit.TotalSeconds) ? CopyDistance.AtEnd : CopyDistance.Far;

    /// <summary>libvirt's figure counts what is sent; pages of zeros hardly are, so a copy may be done sooner than it tells.</summary>
    private void MeasureRate(VirJobStatistics job, ulong left, bool isNewPass, DateTimeOffset now)
    {
        var measured = (double)(job.MemoryBytesPerSecond ?? 0);
        if (!isNewPass && left < leftSeen && now > seenAt)
            measured = Math.Max(measured, (leftSeen - left) / (now - seenAt).TotalSeconds);
        if (measured > 0)
            rateBytesPerSecond = measured;
    }
}

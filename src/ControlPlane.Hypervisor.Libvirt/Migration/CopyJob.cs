using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Migration;

/// <summary>What libvirt is asked for, and how its figures read.</summary>
internal static class CopyJob
{
    /// <summary>More than any link has; QEMU's own limit lies above it.</summary>
    public const long UnlimitedMiBPerSecond = 1 << 20;

    public static VirDomainMigrateFlags Flags(MigrationRoute route, CopyOptions options)
    {
        // The target keeps the guest's definition and the source forgets it in the same job: never two homes, never none.
        var flags = VirDomainMigrateFlags.Live | VirDomainMigrateFlags.PersistDest | VirDomainMigrateFlags.UndefineSource | VirDomainMigrateFlags.AbortOnError;
        if (route.PeerToPeer)
            flags |= VirDomainMigrateFlags.Peer2Peer;
        if (route.Tls)
            flags |= VirDomainMigrateFlags.Tls;
        if (route.CopyDisks)
            flags |= VirDomainMigrateFlags.NonSharedDisk;
        if (options.AutoConverge)
            flags |= VirDomainMigrateFlags.AutoConverge;
        if (options.Mode == MigrationMode.PostCopy)
            flags |= VirDomainMigrateFlags.Postcopy;
        return flags;
    }

    /// <param name="liveXml">The live description for the target, where it differs from the source's.</param>
    public static VirTypedParameters Parameters(MigrationRoute route, CopyOptions options, string? liveXml)
    {
        var parameters = new VirTypedParameters();
        if (route.MemoryUri is { } memory)
        {
            parameters.Add(VirMigrateParameter.Uri, memory);
            if (route.CopyDisks && Uri.TryCreate(memory, UriKind.Absolute, out var uri))
                parameters.Add(VirMigrateParameter.DisksUri, $"tcp://{uri.Host}");
        }
        // Always said: libvirt would else begin with the brake of a copy that was never let go.
        parameters.Add(VirMigrateParameter.Bandwidth, (ulong)(options.BandwidthMiBPerSecond ?? UnlimitedMiBPerSecond));
        if (liveXml is not null)
            parameters.Add(VirMigrateParameter.DestinationXml, liveXml);
        return parameters;
    }

    public static CopyProgress Progress(CopyPhase phase, VirJobStatistics job, string? error = null)
    {
        const double BytesPerMiB = 1 << 20;
        var dirty = (job.DirtyPagesPerSecond ?? 0) * (double)(job.PageSizeBytes ?? 0) / BytesPerMiB;
        return new CopyProgress(
            phase, (int)(job.Iteration ?? 0), Bytes(job.MemoryTotalBytes), Bytes(job.MemoryProcessedBytes), Bytes(job.MemoryRemainingBytes), dirty,
            phase == CopyPhase.Completed ? job.Downtime : null, error);
    }

    private static long Bytes(ulong? bytes) => (long)Math.Min(bytes ?? 0, long.MaxValue);
}

/// <summary>
/// The nearest to a hold that libvirt lets a client have. A copy is let run with no downtime allowed, and braked to the slowest rate there is while
/// something is left to copy: so the guest stays on the source for as long as the rest lasts at that rate. What is left at last goes over
/// by itself.
/// </summary>
internal sealed class CopyBrake(TimeSpan ahead)
{
    /// <summary>libvirt counts whole MiB/s.</summary>
    public const ulong SlowestMiBPerSecond = 1;

    private ulong passSeen;
    private ulong rateBytesPerSecond;

    /// <summary>Whether the copy is to be braked now.</summary>
    /// <param name="downtimeLimit">What the caller allows.</param>
    public bool IsDue(VirJobStatistics job, TimeSpan downtimeLimit)
    {
        if (!job.IsActive || job.MemoryTotalBytes is not > 0 || job.MemoryRemainingBytes is not { } left || job.Iteration is not { } pass)
            return false;
        if (job.MemoryBytesPerSecond is > 0 and var rate)
            rateBytesPerSecond = rate;
        var isNewPass = pass != passSeen;
        passSeen = pass;
        // In the first pass what is left shrinks steadily: braked shortly before its end, since a guest that writes little goes over right there.
        if (pass <= 1)
            return job.MemoryProcessedBytes > 0 && left <= rateBytesPerSecond * ahead.TotalSeconds;
        // Later ones begin with what the guest has dirtied: converged when that fits into the downtime.
        return isNewPass && left <= rateBytesPerSecond * downtimeLimit.TotalSeconds;
    }
}

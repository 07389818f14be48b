using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Hypervisor.Libvirt.Register;
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
        // A guest that is copied arrives paused, and is resumed once the source has let it go for good (Arrival). libvirt by itself resumes it on the target and then
        // tells the source; when that word is lost the source resumes it too, and it runs twice. In post-copy the source never resumes it.
        return flags | (options.Mode == MigrationMode.PostCopy ? VirDomainMigrateFlags.Postcopy : VirDomainMigrateFlags.Paused);
    }

    public static VirTypedParameters Parameters(MigrationRoute route, CopyOptions options, Leaving leaving)
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
        if (options is { Mode: MigrationMode.PostCopy, BandwidthMiBPerSecond: { } most })
            parameters.Add(VirMigrateParameter.BandwidthPostcopy, (ulong)most);
        if (leaving.StoredXml is not null)
            parameters.Add(VirMigrateParameter.PersistentXml, leaving.StoredXml);
        if (leaving.LiveXml is not null)
            parameters.Add(VirMigrateParameter.DestinationXml, leaving.LiveXml);
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

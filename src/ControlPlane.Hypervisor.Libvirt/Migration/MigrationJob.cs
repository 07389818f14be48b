using ControlPlane.Domain;
using ControlPlane.Hypervisor.Libvirt.Connections;
using ControlPlane.Hypervisor.Libvirt.Register;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Migration;

/// <summary>
/// The call that moves a guest. It has a connection of its own: it lasts long, others ask meanwhile how far it is, and an old client library may crash
/// when a connection with several calls under way is lost.
/// </summary>
internal sealed class MigrationJob(LibvirtHost host, MigrationRoute route, VirConnect target, LibvirtOptions patience)
{
    public async Task<VirJobStatistics?> RunAsync(Leaving leaving, CopyOptions options, VirDomainMigrateFlags flags, CancellationToken aborting)
    {
        var parameters = CopyJob.Parameters(route, options, leaving);
        using var own = await VirConnect.OpenAsync(host.Settings.Uri, patience.OpenTimeout, time: host.Time, cancellationToken: aborting);
        own.SetKeepAlive(patience.KeepAliveInterval, patience.KeepAliveCount);
        using var domain = await own.RunAsync(() => own.LookupDomainByUuid(leaving.Domain.Uuid), aborting);
        if (route.PeerToPeer)
            await domain.MigrateToUri3Async(route.PeerUri, parameters, flags, cancellationToken: aborting);
        else
            (await domain.Migrate3Async(target, parameters, flags, cancellationToken: aborting)).Dispose();
        return await target.RunAsync(() => Arrive(target, leaving.Domain.Uuid), CancellationToken.None);
    }

    /// <summary>At once, since the guest waits; what fails here is done again when the end is settled.</summary>
    private static VirJobStatistics? Arrive(VirConnect target, Guid uuid)
    {
        try
        {
            Arrival.Complete(target, new VmId(uuid));
        }
        catch (LibvirtException)
        {
            return null;
        }
        return StatisticsOf(target, uuid);
    }

    /// <summary>The target has the final figures; without them the move is no less done.</summary>
    private static VirJobStatistics? StatisticsOf(VirConnect target, Guid uuid)
    {
        try
        {
            using var moved = target.FindDomainByUuid(uuid);
            return moved?.GetJobStatistics(VirDomainGetJobStatsFlags.Completed);
        }
        catch (LibvirtException)
        {
            return null;
        }
    }
}

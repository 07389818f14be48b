using ControlPlane.Domain;
using ControlPlane.Hypervisor.Libvirt.Register;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Migration;

/// <summary>The call that moves a guest.</summary>
internal sealed class MigrationJob(MigrationRoute route, MoveConnections connections)
{
    /// <summary>Whether the guest is over and runs: nothing is left to be done on the target.</summary>
    public bool HasArrived { get; private set; }

    public async Task<VirJobStatistics?> RunAsync(Leaving leaving, CopyOptions options, VirDomainMigrateFlags flags, CancellationToken aborting)
    {
        var parameters = CopyJob.Parameters(route, options, leaving);
        var (source, target) = (connections.Source, connections.Target);
        using var domain = await source.RunAsync(() => source.LookupDomainByUuid(leaving.Domain.Uuid), aborting);
        if (route.PeerToPeer)
            await domain.MigrateToUri3Async(route.PeerUri, parameters, flags, cancellationToken: aborting);
        else
            (await domain.Migrate3Async(target, parameters, flags, cancellationToken: aborting)).Dispose();
        return await target.RunAsync(() => Arrive(target, leaving.Domain.Uuid), CancellationToken.None);
    }

    /// <summary>At once, since the guest waits; what fails here is done again when the end is settled.</summary>
    private VirJobStatistics? Arrive(VirConnect target, Guid uuid)
    {
        try
        {
            Arrival.Complete(target, new VmId(uuid));
            HasArrived = true;
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

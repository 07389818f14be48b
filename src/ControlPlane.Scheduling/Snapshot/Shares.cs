using ControlPlane.Domain.Hosts;

namespace ControlPlane.Scheduling.Snapshot;

/// <summary>What is missing of what is asked for.</summary>
internal static class Shares
{
    /// <summary>How much of each is missing; none where it suffices. What is not asked for is never missing, also on an oversold host.</summary>
    public static HostShare Lacks(HostShare needed, HostShare free) => new(
        needed.Vcpus == 0 ? 0 : Math.Max(0, needed.Vcpus - free.Vcpus),
        needed.MemoryMiB == 0 ? 0 : Math.Max(0, needed.MemoryMiB - free.MemoryMiB),
        needed.Hugepages2MiB == 0 ? 0 : Math.Max(0, needed.Hugepages2MiB - free.Hugepages2MiB),
        needed.Hugepages1GiB == 0 ? 0 : Math.Max(0, needed.Hugepages1GiB - free.Hugepages1GiB));

    public static bool HostHolds(FleetState fleet, int host, HostShare share) => Lacks(share, fleet.Free[host]) == HostShare.None;

    public static bool CellHolds(FleetState fleet, int host, int cell, HostShare share) => Lacks(share, fleet.CellFree(host, cell)) == HostShare.None;
}

using ControlPlane.Domain.Hosts;
using ControlPlane.Scheduling.Matching;
using ControlPlane.Scheduling.Snapshot;

namespace ControlPlane.Scheduling.Filters;

/// <summary>vCPUs and memory within the host's ratios, and huge pages that are not sold yet.</summary>
internal sealed class CapacityFilter : IHostFilter
{
    public const string FilterName = "capacity";

    public string Name => FilterName;

    public bool Keeps(FleetState fleet, int host, CompiledRequest request) => Shares.HostHolds(fleet, host, request.Request.Share);

    public Shortfall Describe(FleetState fleet, int host, CompiledRequest request)
    {
        var needed = request.Request.Share;
        var free = fleet.Free[host];
        var limit = fleet.Limits[host];
        var lacks = Shares.Lacks(needed, free);
        return new Shortfall(
            Words(needed, lacks), Words(free, lacks),
            Shares.Lacks(needed, limit) == HostShare.None
                ? $"The host sells {Words(limit, lacks)} and the rest is taken."
                : $"The host sells no more than {Words(limit, lacks)} in all.");
    }

    /// <summary>The amounts of those kinds that <paramref name="which"/> is not zero in.</summary>
    public static string Words(HostShare share, HostShare which)
    {
        var words = new List<string>(4);
        if (which.Vcpus != 0)
            words.Add($"{share.Vcpus} vCPUs");
        if (which.MemoryMiB != 0)
            words.Add($"{share.MemoryMiB} MiB of memory");
        if (which.Hugepages2MiB != 0)
            words.Add($"{share.Hugepages2MiB} huge pages of 2 MiB");
        if (which.Hugepages1GiB != 0)
            words.Add($"{share.Hugepages1GiB} huge pages of 1 GiB");
        return string.Join(", ", words);
    }
}

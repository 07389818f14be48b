using ControlPlane.Hypervisor.Emulated.Hosts;

namespace ControlPlane.Hypervisor.Emulated.Migration;

/// <summary>
/// Max-min fair shares by progressive filling (Bertsekas and Gallager, Data Networks, 6.5.2): all flows grow alike until a link is full or a flow
/// has reached its own limit; these are settled, and the rest goes on growing.
/// </summary>
internal static class FairShares
{
    /// <summary>Bytes per second of each flow, in the order of the flows.</summary>
    public static double[] Of(IReadOnlyList<WireFlow> flows, Func<EmulatedHost, double> capacityOf)
    {
        var shares = new double[flows.Count];
        var open = Enumerable.Range(0, flows.Count).ToList();
        var left = new Dictionary<EmulatedHost, double>();
        foreach (var flow in flows)
        {
            left.TryAdd(flow.Route.Source, capacityOf(flow.Route.Source));
            left.TryAdd(flow.Route.Target, capacityOf(flow.Route.Target));
        }

        while (open.Count > 0)
        {
            var growing = open.SelectMany(f => Ends(flows[f])).GroupBy(host => host).ToDictionary(g => g.Key, g => g.Count());
            var tightest = open.Min(f => LimitOf(f));
            var settled = open.Where(f => LimitOf(f) <= tightest).ToArray();
            foreach (var flow in settled)
            {
                shares[flow] = tightest;
                open.Remove(flow);
            }
            foreach (var flow in settled)
            {
                foreach (var host in Ends(flows[flow]))
                    left[host] = Math.Max(0, left[host] - tightest);
            }

            double LimitOf(int flow) => Math.Min(flows[flow].Route.MaxBytesPerSecond, Ends(flows[flow]).Min(host => left[host] / growing[host]));
        }

        return shares;
    }

    private static EmulatedHost[] Ends(WireFlow flow) => [flow.Route.Source, flow.Route.Target];
}

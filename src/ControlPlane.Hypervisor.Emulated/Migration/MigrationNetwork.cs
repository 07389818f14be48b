using ControlPlane.Hypervisor.Emulated.Hosts;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Migration;

/// <summary>
/// What migrations have of the network: each host has one link to all others, and the flows over it share it max-min fairly (what one flow cannot
/// use, since its other end or its own limit holds it back, the others have), as long TCP connections do.
/// </summary>
/// <param name="bestMiBPerSecond">Of a host whose labels say nothing.</param>
internal sealed class MigrationNetwork(ModelClock clock, double bestMiBPerSecond)
{
    private const double MiB = 1024 * 1024;

    private readonly List<WireFlow> flows = [];

    /// <summary>Begins to send; <paramref name="arrived"/> happens in an event of the clock, never before this returns.</summary>
    public WireFlow Send(WireRoute route, long bytes, bool isAwaited, Action arrived)
    {
        var flow = new WireFlow(route, bytes, isAwaited, arrived);
        flows.Add(flow);
        Share();
        return flow;
    }

    /// <summary>What is not sent yet stays unsent; nobody is told of an arrival.</summary>
    public void Stop(WireFlow flow)
    {
        flow.Stop(clock.Now);
        if (flows.Remove(flow))
            Share();
    }

    /// <summary>What one more flow on this route would have, beside those that are there.</summary>
    public double Offer(WireRoute route)
    {
        var probe = new WireFlow(route, 0, isAwaited: false, () => { });
        return FairShares.Of([.. flows, probe], CapacityOf)[^1];
    }

    private void Share()
    {
        var speeds = FairShares.Of(flows, CapacityOf);
        for (var at = 0; at < speeds.Length; at++)
        {
            var flow = flows[at];
            if (flow.Plan > 0 && flow.BytesPerSecond.Equals(speeds[at]))
                continue;
            flow.ChangeSpeed(speeds[at], clock.Now);
            PlanArrival(flow);
        }
    }

    private void PlanArrival(WireFlow flow)
    {
        var plan = ++flow.Plan;
        if (flow.IsAwaited)
            clock.At(flow.ArrivesAt, Arrive);
        else
            clock.Quietly(flow.ArrivesAt, Arrive);

        void Arrive()
        {
            if (!flow.IsOpen || flow.Plan != plan)
                return;
            flows.Remove(flow);
            Share();
            flow.Arrive();
        }
    }

    private double CapacityOf(EmulatedHost host) => (host.Labels.LinkBandwidth ?? bestMiBPerSecond) * MiB;
}

using System.Runtime.CompilerServices;
using ControlPlane.Hypervisor.Emulated.Guests;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>Which guests of a host send by themselves, and when: while somebody looks at them, at their peers or at the host.</summary>
internal sealed class HostTraffic(EmulatedHost host)
{
    private readonly HostActivity activity = new(host);

    /// <summary>A flow goes with its domain.</summary>
    private readonly ConditionalWeakTable<EmulatedDomain, TrafficFlow> flows = [];

    /// <summary>Somebody looks at the host.</summary>
    public void LookAtAll()
    {
        foreach (var domain in host.Domains.Values)
            Begin(domain);
    }

    /// <summary>Somebody looks at one of its guests: it sends, and so do those that send to it.</summary>
    public void LookAt(EmulatedDomain domain)
    {
        Begin(domain);
        foreach (var (other, sender) in host.Directory.SendersTo(domain))
            other.Traffic.Begin(sender);
    }

    private void Begin(EmulatedDomain domain)
    {
        activity.Look(domain);
        if (domain.State != DomainState.Running || domain.Behaviour.Traffic is not { } pattern)
            return;
        if (!flows.TryGetValue(domain, out var flow) || flow.Pattern != pattern)
            flows.AddOrUpdate(domain, flow = new TrafficFlow(host, domain, pattern));
        flow.Look();
    }
}

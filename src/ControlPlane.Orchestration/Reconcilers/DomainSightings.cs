using System.Collections.Concurrent;
using ControlPlane.Domain;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// Where guests were seen to run when the hosts were last asked. A VM whose guest is off where it is recorded is not recorded as stopped
/// while it may be running elsewhere: whoever then started it would have it twice.
/// </summary>
internal sealed class DomainSightings
{
    private readonly ConcurrentDictionary<HostId, Listing> hosts = new();

    public void Note(HostId host, IEnumerable<DomainStatus> domains, DateTimeOffset at) => hosts[host] = new Listing(
        at, domains.Where(d => d.State is DomainState.Running or DomainState.Paused).Select(d => d.Ref.Vm).ToHashSet());

    public void Forget(HostId host) => hosts.TryRemove(host, out _);

    /// <summary>Another host on which the VM ran after its record was last changed; null: none.</summary>
    public HostId? RunsElsewhere(VirtualMachine vm)
    {
        foreach (var (host, listing) in hosts)
            if (host != vm.Host && listing.At > vm.UpdatedAt && listing.On.Contains(vm.Id))
                return host;
        return null;
    }

    private sealed record Listing(DateTimeOffset At, IReadOnlySet<VmId> On);
}

using System.Collections.Concurrent;
using ControlPlane.Domain;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// Where guests were seen to run when the hosts were last asked, which says whom to ask again. A VM whose guest is off where it is recorded
/// is not recorded as stopped while it may be running elsewhere: whoever then started it would have it twice.
/// </summary>
internal sealed class DomainSightings(HostConnections hosts)
{
    private readonly ConcurrentDictionary<HostId, IReadOnlySet<VmId>> on = new();

    public void Note(HostId host, IEnumerable<DomainStatus> domains) => on[host] = domains.Where(IsOn).Select(d => d.Ref.Vm).ToHashSet();

    public void Forget(HostId host) => on.TryRemove(host, out _);

    /// <summary>Another host on which the VM runs, or ran when it was last seen and which does not answer now; null: none.</summary>
    public async Task<HostId?> RunsElsewhereAsync(VirtualMachine vm, CancellationToken ct)
    {
        foreach (var (host, guests) in on)
            if (host != vm.Host && guests.Contains(vm.Id) && await MayRunAtAsync(host, vm.Id, ct))
                return host;
        return null;
    }

    /// <summary>The host is asked now. False also when it does not answer.</summary>
    public async Task<bool> RunsAtAsync(HostId host, VmId vm, CancellationToken ct) =>
        (await FindAtAsync(host, vm, ct)).TryGet(out var domain, out _) && IsOn(domain);

    /// <summary>The host is asked now. A fault: it does not answer.</summary>
    public async Task<Outcome<DomainStatus?>> FindAtAsync(HostId host, VmId vm, CancellationToken ct)
    {
        var opened = await hosts.OpenAsync(host, ct);
        return opened.TryGet(out var hypervisor, out var silent) ? await hypervisor.FindDomainAsync(vm, ct) : silent;
    }

    private async Task<bool> MayRunAtAsync(HostId host, VmId vm, CancellationToken ct)
    {
        var found = await FindAtAsync(host, vm, ct);
        return !found.TryGet(out var domain, out var silent) ? silent.Kind != FaultKind.NotFound : IsOn(domain);
    }

    private static bool IsOn(DomainStatus? domain) => domain is { State: DomainState.Running or DomainState.Paused };
}

using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Statistics;
using ControlPlane.Domain.VirtualMachines;

namespace ControlPlane.Orchestration.Statistics;

/// <summary>Asks hosts for their counters.</summary>
public sealed class StatisticsReader(HostConnections hosts)
{
    public async Task<Outcome<HostStatistics>> ReadAsync(Host host, CancellationToken ct) =>
        (await hosts.OpenAsync(host.Id, ct)).TryGet(out var hypervisor, out var fault) ? await hypervisor.Statistics.ReadHostStatisticsAsync(ct) : fault;

    /// <summary>A VM that is on no host, or not yet, or just no more on the one its row names, has no counters: a conflict, and no missing VM.</summary>
    public async Task<Outcome<DomainStatistics>> ReadAsync(VirtualMachine vm, CancellationToken ct)
    {
        if (vm.Host is not { } host)
            return NotOnAHost(vm);
        if (!(await hosts.OpenAsync(host, ct)).TryGet(out var hypervisor, out var silent))
            return silent;
        var read = await hypervisor.Statistics.ReadDomainStatisticsAsync(vm.Id, ct);
        return read.Fault is { Kind: FaultKind.NotFound } ? NotOnAHost(vm) : read;
    }

    private static Fault NotOnAHost(VirtualMachine vm) =>
        Fault.Conflict("vm-not-on-host", $"VM {vm.Name} is not on a host at this moment; wait for its operation to end.");
}

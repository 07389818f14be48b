using ControlPlane.Domain;
using ControlPlane.Domain.Statistics;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Faults;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>What an emulated host and its domains have counted.</summary>
internal sealed class StatisticsCalls(EmulatedHost host, CallGate gate) : IStatisticsPort
{
    public Task<Outcome<HostStatistics>> ReadHostStatisticsAsync(CancellationToken ct) => gate.RunAsync<HostStatistics>(
        HypervisorCall.ReadHostStatistics, TimeSpan.Zero,
        () => new HostStatistics(host.Clock.Now, Counted(host), host.Iommu.ReportFaults()), ct);

    public Task<Outcome<DomainStatistics>> ReadDomainStatisticsAsync(VmId vm, CancellationToken ct) => gate.RunAsync<DomainStatistics>(
        HypervisorCall.ReadDomainStatistics, TimeSpan.Zero,
        () =>
        {
            if (!host.Domains.TryGetValue(vm, out var domain))
                return Fault.NotFound("domain", vm.ToString());
            if (domain.State == DomainState.Running)
                domain.Workload!.SampleUntil(host.Clock.Now);
            return new DomainStatistics(host.Clock.Now, Counted(domain));
        },
        ct);

    private static IReadOnlyList<CounterGroup> Counted(ICounting counting)
    {
        var sheet = new CounterSheet();
        counting.CountInto(sheet);
        return sheet.ToGroups();
    }
}

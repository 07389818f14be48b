using ControlPlane.Domain;
using ControlPlane.Domain.Statistics;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Faults;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>What an emulated host and its domains have counted.</summary>
internal sealed class StatisticsCalls(EmulatedHost host, CallGate gate) : IStatisticsPort
{
    public Task<Outcome<HostStatistics>> ReadHostStatisticsAsync(CancellationToken ct) =>
        gate.RunAsync(HypervisorCall.ReadHostStatistics, TimeSpan.Zero, ReadHost, ct);

    public Task<Outcome<DomainStatistics>> ReadDomainStatisticsAsync(VmId vm, CancellationToken ct) =>
        gate.RunAsync(HypervisorCall.ReadDomainStatistics, TimeSpan.Zero, () => ReadDomain(vm), ct);

    private Outcome<HostStatistics> ReadHost()
    {
        host.Traffic.LookAtAll();
        return new HostStatistics(host.Clock.Now, Counted(host), host.Iommu.ReportFaults());
    }

    private Outcome<DomainStatistics> ReadDomain(VmId vm)
    {
        if (!host.Domains.TryGetValue(vm, out var domain))
            return Fault.NotFound("domain", vm.ToString());
        if (domain.State == DomainState.Running)
            domain.Workload!.SampleUntil(host.Clock.Now);
        domain.Mediation?.RunUntil(host.Clock.Now);
        host.Traffic.LookAt(domain);
        return new DomainStatistics(host.Clock.Now, Counted(domain));
    }

    private static IReadOnlyList<CounterGroup> Counted(ICounting counting)
    {
        var sheet = new CounterSheet();
        counting.CountInto(sheet);
        return sheet.ToGroups();
    }
}

using ControlPlane.Domain;
using ControlPlane.Domain.Statistics;
using ControlPlane.Hypervisor.Libvirt.Connections;
using ControlPlane.Hypervisor.Libvirt.Domains;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Statistics;

/// <summary>What libvirt counts, under libvirt's own names (<c>virsh domstats</c>, <c>virsh nodecpustats</c>, <c>virsh nodememstats</c>).</summary>
internal sealed class StatisticsCalls(LibvirtHost host) : IStatisticsPort
{
    public Task<Outcome<HostStatistics>> ReadHostStatisticsAsync(CancellationToken ct) => host.RunAsync<HostStatistics>(
        connection => new HostStatistics(
            host.Time.GetUtcNow(),
            [
                Group("cpu", connection.GetCpuStats().Select(s => ($"{s.Key}-nanoseconds", s.Value))),
                Group("memory", connection.GetMemoryStats().Select(s => ($"{s.Key}-kib", s.Value))),
            ],
            []),
        ct);

    public Task<Outcome<DomainStatistics>> ReadDomainStatisticsAsync(VmId vm, CancellationToken ct) => host.RunAsync<DomainStatistics>(
        connection =>
        {
            using var known = KnownDomain.Find(connection, vm);
            if (known is null)
                return Fault.NotFound("domain", vm.ToString());
            return new DomainStatistics(host.Time.GetUtcNow(), GroupsOf(known.Handle.GetStats()));
        },
        ct);

    /// <summary><c>net.0.rx.bytes</c> is the counter <c>0.rx.bytes</c> of the group <c>net</c>; what is no number is left out.</summary>
    private static IReadOnlyList<CounterGroup> GroupsOf(VirTypedParameters parameters) =>
        [.. parameters.Where(p => p.AsInt64 is not null && p.Name.Contains('.', StringComparison.Ordinal))
            .Select(p => (Name: p.Name.Split('.', 2), Value: p.AsInt64!.Value))
            .GroupBy(p => p.Name[0], p => new Counter(p.Name[1], p.Value))
            .Select(g => new CounterGroup(g.Key, [.. g]))];

    private static CounterGroup Group(string name, IEnumerable<(string Name, ulong Value)> figures) =>
        new(name, [.. figures.Select(f => new Counter(f.Name, (long)Math.Min(f.Value, long.MaxValue)))]);
}

using ControlPlane.Domain;
using ControlPlane.Domain.Statistics;

namespace ControlPlane.Hypervisor;

/// <summary>What one host has counted. Which counters there are is the backend's; the emulated one counts each mechanism that it models.</summary>
public interface IStatisticsPort
{
    Task<Outcome<HostStatistics>> ReadHostStatisticsAsync(CancellationToken ct);

    /// <summary>Refused with <c>domain-not-found</c> when the domain is not on this host; of one that is off, what is left to tell.</summary>
    Task<Outcome<DomainStatistics>> ReadDomainStatisticsAsync(VmId vm, CancellationToken ct);
}

using System.Globalization;
using ControlPlane.Contracts;
using ControlPlane.Domain.Statistics;

namespace ControlPlane.Api.Statistics;

/// <summary>Counters as the API shows them.</summary>
internal static class StatisticsMapping
{
    public static VirtualMachineStatisticsResponse ToResponse(this DomainStatistics statistics, string vm, string host) =>
        new(vm, host, statistics.At, ToResponse(statistics.Groups));

    public static HostStatisticsResponse ToResponse(this HostStatistics statistics, string host) => new(
        host, statistics.At, ToResponse(statistics.Groups),
        [.. statistics.DmaFaults.Select(f => new DmaFaultResponse(
            f.At, f.Requester.ToString(), string.Create(CultureInfo.InvariantCulture, $"0x{f.Address:x}"), f.IsWrite, f.Reason))]);

    private static Dictionary<string, IReadOnlyDictionary<string, long>> ToResponse(IReadOnlyList<CounterGroup> groups) =>
        groups.ToDictionary(g => g.Name, g => (IReadOnlyDictionary<string, long>)g.Counters.ToDictionary(c => c.Name, c => c.Value));
}

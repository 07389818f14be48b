using ControlPlane.Domain.Pci;

namespace ControlPlane.Domain.Statistics;

/// <summary>What a host counted about one domain since it started there, in groups by mechanism.</summary>
/// <param name="At">When the counters were read.</param>
public sealed record DomainStatistics(DateTimeOffset At, IReadOnlyList<CounterGroup> Groups);

/// <summary>What a host counted since it booted.</summary>
/// <param name="At">When the counters were read.</param>
/// <param name="DmaFaults">The newest accesses that the IOMMU let not through, oldest first; empty where the backend cannot tell.</param>
public sealed record HostStatistics(DateTimeOffset At, IReadOnlyList<CounterGroup> Groups, IReadOnlyList<DmaFault> DmaFaults);

/// <summary>The counters of one mechanism, in the order in which people read them.</summary>
/// <param name="Name">In kebab-case: <c>tlb</c>, <c>exits</c>, <c>net</c>.</param>
public sealed record CounterGroup(string Name, IReadOnlyList<Counter> Counters);

/// <summary>A count that only grows while its owner runs, or a present size.</summary>
/// <param name="Name">In kebab-case, its unit last where it is no plain count: <c>hits</c>, <c>resident-bytes</c>.</param>
public readonly record struct Counter(string Name, long Value);

/// <summary>A DMA access that an IOMMU blocked.</summary>
/// <param name="Requester">The function that sent it, as its requester id names it.</param>
/// <param name="Address">Where it wanted to go, in the device's address space.</param>
/// <param name="IsWrite">False: it wanted to read.</param>
/// <param name="Reason">In kebab-case: <c>not-mapped</c>.</param>
public sealed record DmaFault(DateTimeOffset At, PciAddress Requester, long Address, bool IsWrite, string Reason);

namespace ControlPlane.Contracts;

/// <summary>What a VM's host has counted about it since it started there.</summary>
/// <param name="Host">The name of the host that was asked.</param>
/// <param name="Counters">By mechanism, then by name: <c>counters.tlb.hits</c>. Which there are is the backend's.</param>
public sealed record VirtualMachineStatisticsResponse(
    string Vm, string Host, DateTimeOffset ReadAt, IReadOnlyDictionary<string, IReadOnlyDictionary<string, long>> Counters);

/// <summary>What a host has counted since it booted.</summary>
/// <param name="Counters">By mechanism, then by name: <c>counters.dma.faults</c>. Which there are is the backend's.</param>
/// <param name="DmaFaults">The newest accesses that the host's IOMMU has blocked, oldest first.</param>
public sealed record HostStatisticsResponse(
    string Host, DateTimeOffset ReadAt, IReadOnlyDictionary<string, IReadOnlyDictionary<string, long>> Counters,
    IReadOnlyList<DmaFaultResponse> DmaFaults);

/// <summary>A DMA access that was blocked.</summary>
/// <param name="Requester">The PCI address of the function that sent it.</param>
/// <param name="Address">Where it wanted to go, hexadecimal with <c>0x</c>.</param>
/// <param name="Reason">Such as <c>not-mapped</c>.</param>
public sealed record DmaFaultResponse(DateTimeOffset At, string Requester, string Address, bool IsWrite, string Reason);

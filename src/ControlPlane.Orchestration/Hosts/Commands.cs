using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Orchestration.Hosts;

/// <summary>Registers a host; the operation ends when its first inventory is in. Answers the host and the operation.</summary>
public sealed record AddHost(string? Name, HostBackend Backend, IReadOnlyDictionary<string, string> Labels);

/// <summary>Recorded at once. Null leaves a value as it is; a cordoned host keeps new VMs away.</summary>
public sealed record UpdateHost(
    HostId Host, IReadOnlyDictionary<string, string>? Labels, Generation? Expected, double? CpuRatio = null, double? MemoryRatio = null,
    bool? Cordoned = null);

/// <summary>Refused while VMs are on it.</summary>
public sealed record RemoveHost(HostId Host, Generation? Expected);

/// <summary>Refused for no state: a silent host ends it with the reason.</summary>
public sealed record RescanHost(HostId Host);

/// <param name="AllowDeviceLoss">VMs whose devices no other host can supply are stopped instead of staying.</param>
/// <param name="MaxParallel">Migrations at a time, 1 to 32.</param>
public sealed record DrainHost(HostId Host, bool AllowDeviceLoss, int MaxParallel);

public sealed record ActivateHost(HostId Host);

/// <summary>Recorded at once. Null leaves a flag as it is.</summary>
public sealed record UpdatePciDevice(HostId Host, PciAddress Address, bool? Assignable, bool? HostCritical, Generation? Expected);

/// <summary>Another number of virtual functions of one physical function, as Linux counts them (<c>sriov_numvfs</c>).</summary>
public sealed record SetVirtualFunctionCount(HostId Host, PciAddress Address, int Count);

public sealed record ReleaseQuarantine(HostId Host, PciAddress Address);

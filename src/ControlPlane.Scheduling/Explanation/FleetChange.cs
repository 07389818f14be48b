using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;

namespace ControlPlane.Scheduling.Explanation;

/// <summary>One thing that somebody could do so that a VM fits: to the host, or to the request. Its text is an imperative sentence.</summary>
public abstract record FleetChange(string Sentence)
{
    public override string ToString() => Sentence;
}

/// <summary>The host is up again and not cordoned.</summary>
public sealed record ActivateHost(HostId Host, string Sentence) : FleetChange(Sentence);

/// <summary>The owner lets go of the device, or of the whole IOMMU group that it is in.</summary>
public sealed record ReleaseDevice(HostId Host, PciAddress Address, VmId? Owner, string Sentence) : FleetChange(Sentence);

/// <summary>An operator gives the device to guests (PATCH <c>assignable: true</c>).</summary>
public sealed record SetAssignable(HostId Host, PciAddress Address, string Sentence) : FleetChange(Sentence);

public sealed record ReleaseQuarantine(HostId Host, PciAddress Address, string Sentence) : FleetChange(Sentence);

public sealed record SetVirtualFunctionCount(HostId Host, PciAddress PhysicalFunction, int Count, string Sentence) : FleetChange(Sentence);

/// <summary>Other VMs give back so much of the host, or of one NUMA cell of it.</summary>
/// <param name="Node">Null: anywhere on the host.</param>
public sealed record FreeCapacity(HostId Host, HostShare Share, int? Node, string Sentence) : FleetChange(Sentence);

/// <summary>The VM asks for less; the host could never give what it asks for now.</summary>
public sealed record ReduceShare(HostShare To, string Sentence) : FleetChange(Sentence);

public sealed record RelaxNumaPolicy(NumaPolicy To, string Sentence) : FleetChange(Sentence);

public sealed record RelaxDeviceSpread(string Sentence) : FleetChange(Sentence);

public sealed record RelaxGroupPolicy(GroupPolicy To, string Sentence) : FleetChange(Sentence);

public sealed record DropHostSelector(string Key, string Sentence) : FleetChange(Sentence);

/// <summary>The request names another host; it names this one, or none.</summary>
public sealed record AllowHost(HostId Host, string Sentence) : FleetChange(Sentence);

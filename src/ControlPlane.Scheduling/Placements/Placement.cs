using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Scheduling.Placements;

/// <summary>One device row to be taken: reserve it for <paramref name="Owner"/> if it is still free at <paramref name="Expected"/>.</summary>
/// <param name="Expected">The generation that was seen; the reservation carries the next one.</param>
/// <param name="IommuGroup">The host's number of the group.</param>
public sealed record DeviceReservation(
    PciAddress Address, Generation Expected, DeviceOwner Owner, int IommuGroup, int? NumaNode, PciAddress? PhysicalFunction)
{
    /// <summary>The generation of the ownership once reserved.</summary>
    public Generation Reserved => Expected.Next();
}

/// <summary>The part of a VM that one NUMA cell carries.</summary>
public sealed record CellShare(int Node, HostShare Share);

/// <summary>
/// Where a VM goes and what it takes there. Decided on a snapshot: the claims hold once their transaction has committed, and when it
/// does not (someone else was faster), the answer is given back with <c>Release</c> and decided again.
/// </summary>
/// <param name="Cells">Empty: the VM floats over the host's NUMA cells.</param>
/// <param name="Devices">One for each demand, in the order of the request.</param>
/// <param name="Companions">Members of the devices' IOMMU groups that nobody else may have meanwhile.</param>
public sealed record Placement(
    VmId Vm, ProjectId Project, string? Group, PlacementPurpose Purpose, HostId Host, string HostName, HostShare Share,
    IReadOnlyList<CellShare> Cells, IReadOnlyList<DeviceReservation> Devices, IReadOnlyList<DeviceReservation> Companions)
{
    /// <summary>Every device row that the transaction has to take.</summary>
    public IEnumerable<DeviceReservation> Claims => Devices.Concat(Companions);
}

/// <summary>What a VM holds of a host. While it migrates it holds a share of two.</summary>
/// <param name="Cells">Null: not known; then it is counted on the nodes of the VM's devices, or on the host only.</param>
public sealed record VmAllocation(
    VmId Vm, ProjectId Project, HostId Host, HostShare Share, IReadOnlyList<CellShare>? Cells = null, string? Group = null);

using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Writing;
using ControlPlane.Scheduling;
using ControlPlane.Scheduling.Placements;

namespace ControlPlane.Orchestration.Claims;

/// <summary>
/// Makes a placement true. The snapshot has taken it already, so that creates in this server never fight; the commit makes it hold
/// against all others, and a refused one gives the snapshot's part back.
/// </summary>
public sealed class PlacementRecords(DeviceStore devices, UsageStore usage, FleetSnapshot fleet, Announcements announcements)
{
    /// <summary>Takes what the placement claims: each device by compare-and-set, the capacity below its limit, the group's rule.</summary>
    public void Claim(WriteUnit unit, Placement placement, VirtualMachine vm)
    {
        foreach (var claim in placement.Claims)
        {
            devices.Claim(unit, placement.Host, claim.Address, claim.Expected, claim.Owner);
            announcements.DeviceReserved(unit, placement.Host, claim);
        }
        if (placement.Purpose != PlacementPurpose.HotPlug)
            usage.Allocate(unit, new HostAllocation(
                vm.Id, placement.Host, vm.Project, placement.Share, vm.Spec.Placement.Group, vm.Spec.Placement.GroupPolicy == GroupPolicy.HardSpread,
                [.. placement.Cells.Select(c => new CellAllocation(c.Node, c.Share))]));
        unit.OnCommitted(() => fleet.Confirm(placement)).OnRefused(() => fleet.Release(placement));
    }

    /// <summary>Takes for a VM what it should have held of its host all the time: no placement is asked, and no NUMA cell.</summary>
    public void TakeAllocation(WriteUnit unit, VirtualMachine vm, HostId host)
    {
        var (share, placing) = (vm.Spec.ShareOfHost(), vm.Spec.Placement);
        usage.Allocate(unit, new HostAllocation(vm.Id, host, vm.Project, share, placing.Group, placing.GroupPolicy == GroupPolicy.HardSpread, []));
        unit.OnCommitted(() => fleet.UpsertAllocation(new VmAllocation(vm.Id, vm.Project, host, share, [], placing.Group)));
    }

    /// <summary>Gives the VM's share of a host back; its devices go home by themselves. Safe where there is none.</summary>
    public void ReleaseAllocation(WriteUnit unit, VmId vm, HostId host)
    {
        usage.Release(unit, vm, host);
        unit.OnCommitted(() => fleet.RemoveAllocation(vm, host));
    }
}

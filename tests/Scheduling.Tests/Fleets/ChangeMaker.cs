using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Scheduling.Explanation;
using ControlPlane.Scheduling.Placements;

namespace ControlPlane.Scheduling.Tests.Fleets;

/// <summary>Does to the records what a change says, as an operator or the caller would.</summary>
internal static class ChangeMaker
{
    public static PlacementRequest Make(TestFleet fleet, TestHost host, PlacementRequest request, FleetChange change)
    {
        switch (change)
        {
            case ActivateHost:
                host.With(h => h with { State = HostState.Up, Cordoned = false });
                return request;
            case ReleaseDevice c:
                host.Change(c.Address, d => d with { Ownership = DeviceOwnership.Unowned with { Generation = d.Ownership.Generation } });
                return request;
            case ReleaseQuarantine c:
                host.Change(c.Address, d => d with { Ownership = DeviceOwnership.Unowned with { Generation = d.Ownership.Generation.Next() } });
                return request;
            case SetAssignable c:
                host.Change(c.Address, d => d with
                {
                    Assignable = true, Ownership = d.Ownership.Apply(new DeviceCommand.GiveToGuests()).Value,
                });
                return request;
            case SetVirtualFunctionCount c:
                Create(host, c.PhysicalFunction, c.Count);
                return request;
            case FreeCapacity c:
                fleet.Allocate(new VmAllocation(Ids.Vm(900 + fleet.Allocations.Count), Ids.Project, host.Id, HostShare.None - c.Share, []));
                return request;
            case ReduceShare c:
                return request with { Share = c.To };
            case RelaxNumaPolicy c:
                return request with { NumaPolicy = c.To };
            case RelaxDeviceSpread:
                return request with { DeviceSpread = DeviceSpread.None };
            case RelaxGroupPolicy c:
                return request with { GroupPolicy = c.To };
            case DropHostSelector c:
                return request with { HostSelector = request.HostSelector.Where(l => l.Key != c.Key).ToDictionary(l => l.Key, l => l.Value) };
            case AllowHost:
                return request with { OnlyHosts = null };
            default:
                throw new InvalidOperationException($"No test has met '{change.GetType().Name}'.");
        }
    }

    private static void Create(TestHost host, PciAddress physicalFunction, int count)
    {
        var facts = host.Devices[physicalFunction].Facts;
        var siblings = host.Devices.Values.Where(d => d.Present && d.Facts.PhysicalFunction == physicalFunction).ToArray();
        var shared = siblings.FirstOrDefault(s => s.Facts.IommuGroup is { } group
            && host.Devices.Values.Count(d => d.Present && d.Facts.Kind == PciKind.Endpoint && d.Facts.IommuGroup == group) > 1)?.Facts.IommuGroup;
        for (var i = 0; i < count; i++)
        {
            var address = PciAddress.FromRoutingId(0, (ushort)(physicalFunction.RoutingId + facts.Sriov!.FirstVfOffset + (i * facts.Sriov.VfStride)));
            var known = host.Devices.GetValueOrDefault(address);
            if (known?.Present == true)
                continue;
            var made = new PciFunction
            {
                Address = address, Kind = PciKind.Endpoint, ClassCode = facts.ClassCode, VendorId = facts.VendorId, DeviceId = facts.Sriov.VfDeviceId,
                NumaNode = facts.NumaNode, IommuGroup = facts.IommuGroup is null ? null : shared ?? host.NewGroup(), Function = FunctionKind.Virtual,
                PhysicalFunction = physicalFunction,
            };
            host.Devices[address] = new PciDevice(host.Id, made, known?.Ownership ?? DeviceOwnership.Unowned, true, false, true);
        }
    }
}

using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Scheduling.Placements;

namespace ControlPlane.Scheduling.Tests.Fleets;

/// <summary>
/// What must hold of a placement, written a second time as plainly as can be, from the records alone: nothing of the scheduler's own code
/// is used. It checks answers, and finds placements by trying all of them.
/// </summary>
internal static class Rules
{
    /// <summary>Broken rules, in words; empty: the placement is right.</summary>
    public static List<string> Broken(TestFleet fleet, PlacementRequest request, Placement placement)
    {
        var host = fleet.Hosts.Single(h => h.Id == placement.Host);
        var broken = HostRules(fleet, host, request).ToList();
        var devices = placement.Devices.Select(d => host.Devices[d.Address]).ToList();
        var cell = placement.Cells.Count == 0 ? (int?)null : placement.Cells.Single().Node;
        broken.AddRange(DeviceRules(fleet, host, request, devices, cell));
        var held = devices.Concat(CompanionsOf(host, devices)).Select(d => d.Address).Order();
        if (!held.SequenceEqual(placement.Claims.Select(c => c.Address).Order()))
            broken.Add("what is claimed is not the devices and the free rest of their groups");
        if (placement.Claims.Any(c => host.Devices[c.Address].Ownership.Generation != c.Expected || c.Owner.Vm != request.Vm))
            broken.Add("a claim has another generation or owner than it should");
        if (!placement.Devices.Select(d => d.Owner).SequenceEqual(request.Devices.Select(d => new DeviceOwner(request.Vm, d.Name))))
            broken.Add("devices are not named as the demands");
        if (cell is { } node && !CellHolds(fleet, host, node, request.Share))
            broken.Add("the cell does not hold the VM");
        return broken;
    }

    /// <summary>Whether there is any right placement at all, found by trying every device for every demand.</summary>
    public static bool Exists(TestFleet fleet, PlacementRequest request) => fleet.Hosts.Any(h => ExistsOn(fleet, h, request));

    public static bool ExistsOn(TestFleet fleet, TestHost host, PlacementRequest request)
    {
        if (HostRules(fleet, host, request).Any())
            return false;
        var cells = request.NumaPolicy == NumaPolicy.Required
            ? Cells(host).Where(c => CellHolds(fleet, host, c.Node, request.Share)).Select(c => (int?)c.Node).ToArray()
            : [null];
        return cells.Any(cell => Try(fleet, host, request, cell, []));
    }

    private static bool Try(TestFleet fleet, TestHost host, PlacementRequest request, int? cell, List<PciDevice> chosen)
    {
        if (chosen.Count == request.Devices.Count)
            return !DeviceRules(fleet, host, request, chosen, cell).Any();
        foreach (var device in host.Devices.Values)
        {
            if (chosen.Contains(device) || !Serves(fleet, host, request.Devices[chosen.Count], device))
                continue;
            chosen.Add(device);
            if (Try(fleet, host, request, cell, chosen))
                return true;
            chosen.RemoveAt(chosen.Count - 1);
        }
        return false;
    }

    private static IEnumerable<string> HostRules(TestFleet fleet, TestHost host, PlacementRequest request)
    {
        if (host.Record.State != HostState.Up || host.Record.Cordoned)
            yield return "the host takes no VMs";
        if (request.OnlyHosts is { } only && !only.Contains(host.Id))
            yield return "the host is not one of those named";
        if (request.ExcludeHosts.Contains(host.Id))
            yield return "the host is excluded";
        if (request.HostSelector.Any(l => host.Record.Labels.GetValueOrDefault(l.Key) != l.Value))
            yield return "a label is missing";
        if (request.SourceCpu is { } cpu && (cpu.Vendor != host.Record.Cpu.Vendor || cpu.Features.Except(host.Record.Cpu.Features).Any()))
            yield return "a CPU feature is missing";
        var here = fleet.Allocations.Where(a => a.Host == host.Id).ToArray();
        if (request.GroupPolicy == GroupPolicy.HardSpread && here.Any(a => a.Group == request.Group && a.Project == request.Project && a.Group is not null))
            yield return "a member of the hard-spread group is there";
        if (!Enough(HostLimit(host), here.Select(a => a.Share), request.Share))
            yield return "the host is oversold";
        var wires = host.Devices.Values.SelectMany(d => fleet.Pools.Where(p => p.Contains(host.Id, d.Facts))).Select(p => p.PhysicalNetwork).OfType<string>().ToHashSet();
        var known = fleet.Pools.Select(p => p.PhysicalNetwork).OfType<string>().ToHashSet();
        if (wires.Count > 0 && request.Networks.Any(n => n.PhysicalNetwork is { } wire && known.Contains(wire) && !wires.Contains(wire)))
            yield return "a physical network is not reached";
    }

    private static IEnumerable<string> DeviceRules(TestFleet fleet, TestHost host, PlacementRequest request, List<PciDevice> devices, int? cell)
    {
        if (devices.Distinct().Count() != devices.Count)
            yield return "a device is given twice";
        for (var i = 0; i < devices.Count; i++)
        {
            if (!Serves(fleet, host, request.Devices[i], devices[i]))
                yield return $"{devices[i].Address} does not serve {request.Devices[i].Name}";
        }
        foreach (var group in devices.Select(d => d.Facts.IommuGroup).Distinct())
        {
            foreach (var member in Endpoints(host).Where(d => d.Facts.IommuGroup == group))
            {
                var state = member.Ownership.State;
                if (member.HostCritical || (state == DeviceState.Host && member.Facts.Driver is not (null or "vfio-pci" or "pci-stub"))
                    || state is not (DeviceState.Host or DeviceState.Free))
                {
                    yield return $"group {group} has {member.Address} that is {state}";
                }
            }
        }
        foreach (var gone in host.Devices.Values.Where(d => !d.Present && (d.HostCritical || d.Ownership.Owner is not null)))
        {
            if (devices.Exists(d => d.Facts.IommuGroup == gone.Facts.IommuGroup))
                yield return $"{gone.Address} is switched off, but its group is not free";
        }
        var held = devices.Concat(CompanionsOf(host, devices)).ToArray();
        foreach (var function in held.Where(d => d.Facts.Function == FunctionKind.Virtual))
        {
            if (host.Devices.TryGetValue(function.Facts.PhysicalFunction!.Value, out var physical) && (IsTaken(physical) || held.Contains(physical)))
                yield return $"{function.Address} is held beside its physical function";
        }
        foreach (var physical in held)
        {
            if (host.Devices.Values.Any(d => d.Facts.PhysicalFunction == physical.Address && IsTaken(d) && (d.Present || d.Ownership.Owner is not null)))
                yield return $"{physical.Address} is held beside a virtual function of it";
        }
        if (request.NumaPolicy == NumaPolicy.Required && (cell is null || devices.Any(d => NodeOf(host, d) != cell)))
            yield return "not all on one NUMA node";
        if (request.DeviceSpread == DeviceSpread.DistinctPhysicalFunctions && !IsBondSafe(fleet, host, devices))
            yield return "the set is not safe to bond";
    }

    private static bool IsBondSafe(TestFleet fleet, TestHost host, List<PciDevice> devices)
    {
        var functions = devices.Where(d => d.Facts.Function == FunctionKind.Virtual).ToArray();
        if (functions.Length < 2)
            return true;
        var wires = functions.Select(f => fleet.Pools.Where(p => p.Contains(host.Id, f.Facts)).Select(p => p.PhysicalNetwork).OfType<string>().ToHashSet()).ToArray();
        var oneWire = wires.All(w => w.Count == 0) || wires[0].Any(wire => wires.All(w => w.Contains(wire)));
        return oneWire && functions.All(f => NodeOf(host, f) is not null) && functions.Select(f => NodeOf(host, f)).Distinct().Count() == 1
            && functions.Select(f => f.Facts.PhysicalFunction).Distinct().Count() == functions.Length;
    }

    private static bool Serves(TestFleet fleet, TestHost host, DeviceDemand demand, PciDevice device)
    {
        if (!device.Present || device.Facts.Kind != PciKind.Endpoint || device.Ownership.State != DeviceState.Free || !device.Assignable
            || device.Facts.IommuGroup is null)
        {
            return false;
        }
        if (demand.AlikeTo is { } alike && alike != AlikeDevice.Of(device.Facts))
            return false;
        if (demand.Pool is { } id)
            return fleet.Pools.Single(p => p.Id == id).Contains(host.Id, device.Facts);
        return device.Facts.ClassCode >> 16 == 2 && fleet.Pools.Any(p => p.Kind == PoolKind.VirtualFunction
            && (demand.PhysicalNetwork is null || p.PhysicalNetwork == demand.PhysicalNetwork) && p.Contains(host.Id, device.Facts));
    }

    private static IEnumerable<PciDevice> Endpoints(TestHost host) => host.Devices.Values.Where(d => d.Present && d.Facts.Kind == PciKind.Endpoint);

    private static bool IsTaken(PciDevice device) => device.Ownership.State is not (DeviceState.Free or DeviceState.Host);

    private static IEnumerable<PciDevice> CompanionsOf(TestHost host, List<PciDevice> devices)
    {
        var groups = devices.Select(d => d.Facts.IommuGroup).ToHashSet();
        return Endpoints(host).Where(d => groups.Contains(d.Facts.IommuGroup) && d.Ownership.State == DeviceState.Free && !devices.Contains(d));
    }

    private static IReadOnlyList<NumaCell> Cells(TestHost host) => host.Record.Capacity.Cells.Count > 1
        ? host.Record.Capacity.Cells
        : [new NumaCell(host.Record.Capacity.Cells.Count == 1 ? host.Record.Capacity.Cells[0].Node : 0, host.Record.Capacity.Vcpus, host.Record.Capacity.MemoryMiB)];

    private static int? NodeOf(TestHost host, PciDevice device) => Cells(host) is [var only] ? only.Node : device.Facts.NumaNode;

    private static HostShare HostLimit(TestHost host) => HostShare.SellableOf(host.Record.Capacity, host.Record.CpuRatio, host.Record.MemoryRatio);

    private static bool CellHolds(TestFleet fleet, TestHost host, int node, HostShare share)
    {
        var limit = HostShare.SellableOf(Cells(host).Single(c => c.Node == node), host.Record.CpuRatio, host.Record.MemoryRatio);
        var sold = fleet.Allocations.Where(a => a.Host == host.Id).SelectMany(a => a.Cells ?? []).Where(c => c.Node == node).Select(c => c.Share);
        return Enough(limit, sold, share);
    }

    private static bool Enough(HostShare limit, IEnumerable<HostShare> sold, HostShare wanted) =>
        wanted == HostShare.None || sold.Aggregate(wanted, (sum, s) => sum + s).FitsIn(limit);
}

using ControlPlane.Domain;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Scheduling.Placements;
using ControlPlane.Scheduling.Snapshot;

namespace ControlPlane.Scheduling.Matching;

/// <summary>How a VM fits on one host. Reused from host to host.</summary>
internal sealed class HostFit
{
    public const int Floating = -1;

    public int Host { get; set; }

    /// <summary>Index of the NUMA cell that carries the VM; <see cref="Floating"/>.</summary>
    public int Cell { get; set; }

    /// <summary>1: cell and devices on one node, or nobody asked; 0.5: the devices at least; 0: scattered.</summary>
    public double Closeness { get; set; }

    public DeviceMatch Devices { get; } = new();

    public void CopyFrom(HostFit other)
    {
        Host = other.Host;
        Cell = other.Cell;
        Closeness = other.Closeness;
        Devices.CopyFrom(other.Devices);
    }
}

/// <summary>Finds out whether a VM's devices and NUMA cell fit together on a host, and the best way that they do.</summary>
internal sealed class HostFitter
{
    private readonly DeviceMatcher matcher = new();
    private readonly DeviceMatch trial = new();
    private readonly DeviceMatch wireTrial = new();
    private readonly List<int> bonded = [];

    /// <summary>A VM that is on the host already may take more of the groups that it has.</summary>
    public static DeviceTable TableFor(FleetState fleet, int host, CompiledRequest request) =>
        request.Request.Purpose == PlacementPurpose.HotPlug
            ? fleet.Blocks[host]!.Devices.SeenBy(request.Request.Vm)
            : fleet.Blocks[host]!.Devices;

    /// <summary>How many of the demands could be served at most, NUMA policy and capacity aside.</summary>
    public static int MostMatched(FleetState fleet, int host, CompiledRequest request)
    {
        var fitter = new HostFitter();
        fitter.MatchOn(fleet, host, TableFor(fleet, host, request), request, MatchScope.AnyNode, fitter.trial);
        return fitter.trial.Matched;
    }

    /// <returns>False when there is no way; <paramref name="fit"/> is then of no meaning.</returns>
    public bool TryFit(FleetState fleet, int host, CompiledRequest request, HostFit fit)
    {
        var table = TableFor(fleet, host, request);
        fit.Host = host;
        fit.Cell = HostFit.Floating;
        fit.Closeness = -1;
        var policy = request.Request.NumaPolicy;
        if (policy != NumaPolicy.None)
            FitOnCells(fleet, host, table, request, fit);
        if (fit.Closeness >= 0 || policy == NumaPolicy.Required)
            return fit.Closeness >= 0;
        if (policy == NumaPolicy.Preferred && request.Classes.Length > 0 && FitDevicesOnOneNode(fleet, host, table, request, fit))
            return true;
        MatchOn(fleet, host, table, request, MatchScope.AnyNode, fit.Devices);
        fit.Closeness = policy == NumaPolicy.None || request.Classes.Length == 0 ? 1 : 0;
        return fit.Devices.IsComplete;
    }

    private void FitOnCells(FleetState fleet, int host, DeviceTable table, CompiledRequest request, HostFit fit)
    {
        var nodes = fleet.Blocks[host]!.CellNodes;
        for (var cell = 0; cell < nodes.Length; cell++)
        {
            if (!Shares.CellHolds(fleet, host, cell, request.Request.Share))
                continue;
            MatchOn(fleet, host, table, request, nodes[cell], trial);
            if (!trial.IsComplete)
                continue;
            if (fit.Closeness < 0 || IsBetter(trial, fit.Devices, fleet.CellFree(host, cell).Vcpus, fleet.CellFree(host, fit.Cell).Vcpus))
            {
                fit.Closeness = 1;
                fit.Cell = cell;
                fit.Devices.CopyFrom(trial);
            }
        }
    }

    private bool FitDevicesOnOneNode(FleetState fleet, int host, DeviceTable table, CompiledRequest request, HostFit fit)
    {
        foreach (var node in fleet.Blocks[host]!.CellNodes)
        {
            MatchOn(fleet, host, table, request, node, trial);
            if (trial.IsComplete && (fit.Closeness < 0 || IsBetter(trial, fit.Devices, 0, 0)))
            {
                fit.Closeness = 0.5;
                fit.Devices.CopyFrom(trial);
            }
        }
        return fit.Closeness >= 0;
    }

    /// <summary>Fewer companions, then more left on the physical functions, then the emptier cell.</summary>
    private static bool IsBetter(DeviceMatch candidate, DeviceMatch best, int candidateVcpus, int bestVcpus) =>
        candidate.Companions != best.Companions ? candidate.Companions < best.Companions
        : candidate.Balance != best.Balance ? candidate.Balance > best.Balance
        : candidateVcpus > bestVcpus;

    private void MatchOn(FleetState fleet, int host, DeviceTable table, CompiledRequest request, int node, DeviceMatch best)
    {
        // One function on a VM without others is safe on any node and wire.
        if (!request.IsBondSafe || (request.ClassOfDemand.Length == 1 && !HasFunctions(table, request.Request.Vm)))
        {
            matcher.Match(table, request, new MatchScope(node), fleet.Catalog, best);
            return;
        }
        best.Reset(request.ClassOfDemand.Length);
        NoteBonded(table, request);
        var block = fleet.Blocks[host]!;
        foreach (var bondNode in block.CellNodes)
        {
            if (node != MatchScope.AnyNode && node != bondNode)
                continue;
            for (var w = -1; w < block.Wires.Length; w++)
            {
                var wire = w < 0 ? MatchScope.UnsaidWire : block.Wires[w];
                if (!bonded.TrueForAll(row => Suits(table, row, bondNode, wire, fleet.Catalog)))
                    continue;
                matcher.Match(table, request, new MatchScope(node, true, bondNode, wire), fleet.Catalog, wireTrial);
                if (wireTrial.Matched > best.Matched || (wireTrial.IsComplete && IsBetter(wireTrial, best, 0, 0)))
                    best.CopyFrom(wireTrial);
            }
        }
    }

    /// <summary>In a hot-plug, the virtual functions that the VM has: what comes has to be safe to bond with them.</summary>
    private void NoteBonded(DeviceTable table, CompiledRequest request)
    {
        bonded.Clear();
        matcher.BondedFunctions.Clear();
        if (request.Request.Purpose != PlacementPurpose.HotPlug)
            return;
        for (var i = 0; i < table.Rows.Length; i++)
        {
            ref readonly var row = ref table.Rows[i];
            if (!row.IsOwned || row.Owner != request.Request.Vm || row.PhysicalFunctionRow == DeviceRow.NoIndex)
                continue;
            bonded.Add(i);
            matcher.BondedFunctions.Add(row.PhysicalFunctionRow);
        }
    }

    private static bool HasFunctions(DeviceTable table, VmId vm)
    {
        foreach (ref readonly var row in table.Rows)
        {
            if (row.IsOwned && row.Owner == vm && row.PhysicalFunctionRow != DeviceRow.NoIndex)
                return true;
        }
        return false;
    }

    private static bool Suits(DeviceTable table, int row, int node, int wire, DeviceCatalog catalog)
    {
        var wires = catalog.WiresOf(table.Rows[row].PoolSet);
        return table.NodeOf(table.Rows[row]) == node && (wire == MatchScope.UnsaidWire ? wires.Length == 0 : wires.AsSpan().Contains(wire));
    }
}

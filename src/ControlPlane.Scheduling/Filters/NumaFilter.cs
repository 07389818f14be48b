using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Scheduling.Matching;
using ControlPlane.Scheduling.Snapshot;

namespace ControlPlane.Scheduling.Filters;

/// <summary>When the policy is <c>required</c>, one NUMA cell carries the VM's vCPUs and memory (and, by matching, all of its devices).</summary>
internal sealed class NumaFilter : IHostFilter
{
    public const string FilterName = "numa";

    public string Name => FilterName;

    public bool Keeps(FleetState fleet, int host, CompiledRequest request)
    {
        if (request.Request.NumaPolicy != NumaPolicy.Required)
            return true;
        var cells = fleet.Blocks[host]!.CellNodes.Length;
        for (var cell = 0; cell < cells; cell++)
        {
            if (Shares.CellHolds(fleet, host, cell, request.Request.Share))
                return true;
        }
        return false;
    }

    public Shortfall Describe(FleetState fleet, int host, CompiledRequest request)
    {
        var block = fleet.Blocks[host]!;
        var share = request.Request.Share;
        if (share == HostShare.None || Enumerable.Range(0, block.CellNodes.Length).Any(c => Shares.CellHolds(fleet, host, c, share)))
        {
            return new Shortfall(
                $"all of the VM's devices{(share == HostShare.None ? "" : ", vCPUs and memory")} on one NUMA node", "only spread over several nodes",
                "The devices are there, but no NUMA node that has room for the VM has all of them.");
        }
        var best = Enumerable.Range(0, block.CellNodes.Length).MaxBy(c => fleet.CellFree(host, c).Vcpus);
        return new Shortfall(
            $"{CapacityFilter.Words(share, share)} on one NUMA node",
            $"{CapacityFilter.Words(fleet.CellFree(host, best), share)} on node {block.CellNodes[best]}",
            "The host has room, but no single NUMA node has enough of it.");
    }
}

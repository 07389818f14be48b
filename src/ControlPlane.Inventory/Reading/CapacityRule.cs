using ControlPlane.Domain.Hosts;
using ControlPlane.Inventory.Libvirt;
using ControlPlane.Inventory.Linux;
using ControlPlane.Inventory.Topology;

namespace ControlPlane.Inventory.Reading;

/// <summary>
/// How much a described host has to give. libvirt's capabilities say it all. lscpu says nothing of memory: then each logical CPU brings
/// 4 GiB, the usual ratio of general-purpose servers. With neither, the host counts as one with 64 CPUs, spread over the NUMA nodes that
/// its PCI functions name. Huge pages are never assumed.
/// </summary>
internal static class CapacityRule
{
    internal const int MemoryMiBPerCpu = 4096;
    internal const int AssumedCpus = 64;

    public static HostCapacity Decide(LscpuText? lscpu, HostCapabilities? capabilities, IEnumerable<FunctionFacts> functions, WarningList warnings)
    {
        if (capabilities?.Capacity is { } whole)
            return whole;
        if (lscpu is { Cpus: > 0 })
        {
            warnings.Add(null, $"nothing says how much memory there is; {MemoryMiBPerCpu} MiB are assumed for each of the {lscpu.Cpus} CPUs");
            return Spread(lscpu.CpusByNode.Count > 0 ? lscpu.CpusByNode : new Dictionary<int, int> { [0] = lscpu.Cpus });
        }
        warnings.Add(null, $"nothing says how many CPUs there are; {AssumedCpus} with {MemoryMiBPerCpu} MiB each are assumed");
        var nodes = functions.Select(f => f.NumaNode).OfType<int>().Append(0).Distinct().Order().ToList();
        return Spread(nodes.Select((node, i) => (node, Cpus: (AssumedCpus / nodes.Count) + (i < AssumedCpus % nodes.Count ? 1 : 0))).ToDictionary(n => n.node, n => n.Cpus));
    }

    private static HostCapacity Spread(IReadOnlyDictionary<int, int> cpusByNode)
    {
        var cells = cpusByNode.OrderBy(n => n.Key).Select(n => new NumaCell(n.Key, n.Value, (long)n.Value * MemoryMiBPerCpu)).ToList();
        return new HostCapacity(cells.Sum(c => c.Cpus), cells.Sum(c => c.MemoryMiB), 0, 0, cells);
    }
}

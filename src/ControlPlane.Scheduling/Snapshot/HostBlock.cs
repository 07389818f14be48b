using ControlPlane.Domain.Hosts;

namespace ControlPlane.Scheduling.Snapshot;

/// <summary>What a scan over all hosts need not look at, by host. Copied when it changes after a copy of the fleet was made.</summary>
internal sealed class HostBlock
{
    public required Host Host { get; set; }

    public required int[] CellNodes { get; set; }

    public required HostShare[] CellLimits { get; set; }

    /// <summary>Sold to VMs that are on one cell; what floats is counted on the host only.</summary>
    public required HostShare[] CellSold { get; set; }

    public required DeviceTable Devices { get; set; }

    /// <summary>Physical networks that the host's functions are plugged into, present or not: see <see cref="DeviceCatalog.WireAt"/>.</summary>
    public int[] Wires { get; set; } = [];

    /// <summary>Pools that the fleet's free counts are not zero for.</summary>
    public List<int> CountedPools { get; init; } = [];

    /// <summary>The copy of the fleet that may write here.</summary>
    public int Epoch { get; set; }

    public int SingleNode => CellNodes.Length == 1 ? CellNodes[0] : -1;

    public HostBlock Clone(int epoch) => new()
    {
        Host = Host,
        CellNodes = CellNodes,
        CellLimits = CellLimits,
        CellSold = [.. CellSold],
        Devices = Devices.Clone(),
        Wires = Wires,
        CountedPools = [.. CountedPools],
        Epoch = epoch,
    };
}

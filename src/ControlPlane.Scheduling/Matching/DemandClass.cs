using ControlPlane.Domain.Pci;
using ControlPlane.Scheduling.Placements;
using ControlPlane.Scheduling.Snapshot;

namespace ControlPlane.Scheduling.Matching;

/// <summary>Demands that any of the same functions would serve: matched as one class with a count, so that likes are never permuted.</summary>
internal sealed class DemandClass
{
    private readonly bool[] fitsPoolSet;
    private readonly bool[] fitsAlike;

    public DemandClass(DeviceDemand demand, int[] pools, DeviceCatalog catalog)
    {
        Sample = demand;
        Pools = pools;
        IsVirtual = pools.Length > 0 && catalog.Pools[pools[0]].Kind == PoolKind.VirtualFunction;
        fitsPoolSet = new bool[catalog.PoolSetCount];
        for (var set = 0; set < fitsPoolSet.Length; set++)
            fitsPoolSet[set] = catalog.PoolsOf(set).AsSpan().IndexOfAny(pools) >= 0;
        fitsAlike = new bool[catalog.AlikeCount];
        for (var i = 0; i < fitsAlike.Length; i++)
            fitsAlike[i] = Fits(catalog.AlikeAt(i), demand);
    }

    public DeviceDemand Sample { get; }

    /// <summary>Catalog indexes of the pools that serve it.</summary>
    public int[] Pools { get; }

    public int Count { get; set; }

    /// <summary>Its functions are virtual ones: those that <c>distinct-physical-functions</c> is about.</summary>
    public bool IsVirtual { get; }

    /// <summary>The model serves it: anything in its pools, but only network controllers for an interface.</summary>
    public bool FitsModel(int alike) => fitsAlike[alike];

    public bool FitsPools(int poolSet) => fitsPoolSet[poolSet];

    public bool Fits(in Bucket bucket) => fitsPoolSet[bucket.PoolSet] && fitsAlike[bucket.Alike];

    private static bool Fits(Alike alike, DeviceDemand demand) =>
        (!demand.IsForInterface || alike.IsNetworkController)
        && (demand.AlikeTo is not { } wanted || wanted == new AlikeDevice(alike.VendorId, alike.DeviceId));
}

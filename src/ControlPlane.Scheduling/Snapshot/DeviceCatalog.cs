using ControlPlane.Domain;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Scheduling.Snapshot;

/// <summary>What functions of one model have in common, and all that a pool's match looks at besides the address.</summary>
internal readonly record struct Alike(PciKind Kind, FunctionKind Function, ushort VendorId, ushort DeviceId, int ClassCode)
{
    public static Alike Of(PciFunction facts) => new(facts.Kind, facts.Function, facts.VendorId, facts.DeviceId, facts.ClassCode);

    /// <summary>Base class 02h (PCI code and ID assignment specification, 1.3).</summary>
    public bool IsNetworkController => ClassCode >> 16 == 0x02;
}

/// <summary>
/// The pools, and interned what many devices share: their model and the set of pools that they are in. A million devices have a few
/// dozen of each, so a row holds two small numbers and every question about a request is asked once per number, not per device.
/// </summary>
internal sealed class DeviceCatalog
{
    public const int NoPools = 0;

    private readonly List<Alike> alikes;
    private readonly Dictionary<Alike, int> alikeIndex;
    private readonly List<int[]> poolSets = [[]];
    private readonly List<int[]> wiresOfPoolSet = [[]];
    private readonly Dictionary<string, int> poolSetIndex = new() { [""] = NoPools };
    private readonly Dictionary<PoolId, int> poolIndex = [];
    private readonly List<string> wires = [];
    private readonly DevicePool[] pools;

    private DeviceCatalog(DevicePool[] pools, List<Alike> alikes, Dictionary<Alike, int> alikeIndex)
    {
        this.pools = pools;
        this.alikes = alikes;
        this.alikeIndex = alikeIndex;
        for (var i = 0; i < pools.Length; i++)
        {
            poolIndex[pools[i].Id] = i;
            if (pools[i].PhysicalNetwork is { } wire && !wires.Contains(wire))
                wires.Add(wire);
        }
    }

    public static DeviceCatalog Empty() => new([], [], []);

    public int PoolCount => pools.Length;

    public int PoolSetCount => poolSets.Count;

    public int AlikeCount => alikes.Count;

    public ReadOnlySpan<DevicePool> Pools => pools;

    public Alike AlikeAt(int index) => alikes[index];

    public int[] PoolsOf(int poolSet) => poolSets[poolSet];

    /// <summary>The physical networks that the pools of a set name: the wires that a device in them is plugged into.</summary>
    public int[] WiresOf(int poolSet) => wiresOfPoolSet[poolSet];

    public int? IndexOf(PoolId pool) => poolIndex.TryGetValue(pool, out var index) ? index : null;

    public int? WireIndexOf(string physicalNetwork) => wires.IndexOf(physicalNetwork) is >= 0 and var index ? index : null;

    public string WireAt(int index) => wires[index];

    /// <summary>The same models with other pools. Pool sets start anew: every row's has to be asked again.</summary>
    public DeviceCatalog WithPools(IReadOnlyCollection<DevicePool> all) =>
        new([.. all.OrderBy(p => p.Id.Value)], [.. alikes], new Dictionary<Alike, int>(alikeIndex));

    /// <summary>A copy that may intern more without the original knowing. Numbers given so far mean the same in both.</summary>
    public DeviceCatalog Clone()
    {
        var clone = WithPools(pools);
        for (var i = 1; i < poolSets.Count; i++)
            clone.InternPools(poolSets[i]);
        return clone;
    }

    public int Intern(Alike alike)
    {
        if (!alikeIndex.TryGetValue(alike, out var index))
        {
            index = alikes.Count;
            alikes.Add(alike);
            alikeIndex.Add(alike, index);
        }
        return index;
    }

    /// <summary>The set of pools that hold a function of this model at this place.</summary>
    public int PoolSetFor(HostId host, Alike alike, PciAddress address, PciAddress? physicalFunction)
    {
        if (alike.Kind != PciKind.Endpoint || pools.Length == 0)
            return NoPools;
        var facts = new PciFunction
        {
            Address = address, Kind = alike.Kind, ClassCode = alike.ClassCode, VendorId = alike.VendorId, DeviceId = alike.DeviceId,
            Function = alike.Function, PhysicalFunction = physicalFunction,
        };
        var members = new List<int>();
        for (var i = 0; i < pools.Length; i++)
        {
            if (pools[i].Contains(host, facts))
                members.Add(i);
        }
        return members.Count == 0 ? NoPools : InternPools([.. members]);
    }

    private int InternPools(int[] members)
    {
        var key = string.Join(',', members);
        if (!poolSetIndex.TryGetValue(key, out var index))
        {
            index = poolSets.Count;
            poolSets.Add(members);
            wiresOfPoolSet.Add([.. members.Where(p => pools[p].PhysicalNetwork is not null).Select(p => wires.IndexOf(pools[p].PhysicalNetwork!)).Distinct()]);
            poolSetIndex.Add(key, index);
        }
        return index;
    }
}

using System.Collections.Immutable;
using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;

namespace ControlPlane.Scheduling.Snapshot;

/// <summary>VMs of one project that name the same group.</summary>
internal readonly record struct GroupKey(ProjectId Project, string Group);

/// <summary>
/// The fleet as arrays by host index, so that a scan over ten thousand hosts reads a few cache lines each. Not thread safe: one owner at
/// a time. <see cref="Fork"/> gives a copy that shares the hosts' blocks until either side writes.
/// </summary>
internal sealed class FleetState
{
    private const int InitialHosts = 16;
    private const int Frozen = -1;

    /// <summary>Of all forks of one fleet; each takes a number of its own, so that no two believe to own one block.</summary>
    private readonly StrongBox epochs;
    private readonly Stack<int> unused;
    private int epoch;

    public FleetState()
    {
        epochs = new StrongBox();
        unused = new Stack<int>();
    }

    private FleetState(FleetState other)
    {
        epochs = other.epochs;
        epoch = Interlocked.Increment(ref epochs.Value);
        other.epoch = Interlocked.Increment(ref epochs.Value);
        unused = new Stack<int>(other.unused.Reverse());
        Slots = other.Slots;
        IndexOf = other.IndexOf;
        Groups = other.Groups;
        CpuModels = other.CpuModels;
        Catalog = other.Catalog.Clone();
        Ids = [.. other.Ids];
        Accepts = [.. other.Accepts];
        Hashes = [.. other.Hashes];
        Limits = [.. other.Limits];
        Free = [.. other.Free];
        Cpu = [.. other.Cpu];
        FreeDevices = [.. other.FreeDevices];
        FreeByPool = [.. other.FreeByPool.Select(counts => (ushort[])counts.Clone())];
        Blocks = [.. other.Blocks];
    }

    /// <summary>Host indexes are below this; those of removed hosts have no block.</summary>
    public int Slots { get; private set; }

    public ImmutableDictionary<HostId, int> IndexOf { get; private set; } = ImmutableDictionary<HostId, int>.Empty;

    /// <summary>How many members of a placement group each host has.</summary>
    public ImmutableDictionary<GroupKey, ImmutableDictionary<int, int>> Groups { get; set; } =
        ImmutableDictionary<GroupKey, ImmutableDictionary<int, int>>.Empty;

    public ImmutableArray<CpuModel> CpuModels { get; private set; } = [];

    public DeviceCatalog Catalog { get; set; } = DeviceCatalog.Empty();

    public HostId[] Ids { get; private set; } = new HostId[InitialHosts];

    /// <summary>Up and not cordoned.</summary>
    public bool[] Accepts { get; private set; } = new bool[InitialHosts];

    /// <summary>A number drawn from each host's id: the same on every server, for breaking ties.</summary>
    public ulong[] Hashes { get; private set; } = new ulong[InitialHosts];

    public HostShare[] Limits { get; private set; } = new HostShare[InitialHosts];

    /// <summary>May be negative: after a ratio was lowered, or when an event of this server came before one of another.</summary>
    public HostShare[] Free { get; private set; } = new HostShare[InitialHosts];

    /// <summary>Index into <see cref="CpuModels"/>.</summary>
    public int[] Cpu { get; private set; } = new int[InitialHosts];

    /// <summary>Available functions in any pool.</summary>
    public ushort[] FreeDevices { get; private set; } = new ushort[InitialHosts];

    /// <summary>By pool, then by host: available functions.</summary>
    public ushort[][] FreeByPool { get; private set; } = [];

    public HostBlock?[] Blocks { get; private set; } = new HostBlock?[InitialHosts];

    public int HostCount => IndexOf.Count;

    public FleetState Fork() => new(this);

    /// <summary>The host's block, made this fleet's own before it is written to.</summary>
    public HostBlock Own(int host)
    {
        var block = Blocks[host]!;
        if (block.Epoch != epoch)
            Blocks[host] = block = block.Clone(epoch);
        return block;
    }

    /// <summary>The next write to the host copies its block, so that this one can be put back with <see cref="Restore"/>.</summary>
    public void Freeze(int host)
    {
        var block = Blocks[host]!;
        if (block.Epoch == epoch)
            block.Epoch = Frozen;
    }

    public int AddSlot(HostId id)
    {
        if (!unused.TryPop(out var host))
            host = Slots++;
        if (host == Ids.Length)
            Grow(host * 2);
        Ids[host] = id;
        Hashes[host] = Mix(id.Value);
        IndexOf = IndexOf.Add(id, host);
        return host;
    }

    public void SetBlock(int host, HostBlock block) => Blocks[host] = block;

    public int Epoch => epoch;

    public void RemoveSlot(int host)
    {
        IndexOf = IndexOf.Remove(Ids[host]);
        foreach (var counts in FreeByPool)
            counts[host] = 0;
        Blocks[host] = null;
        Accepts[host] = false;
        Free[host] = Limits[host] = HostShare.None;
        FreeDevices[host] = 0;
        Groups = Groups.ToImmutableDictionary(g => g.Key, g => g.Value.Remove(host));
        unused.Push(host);
    }

    public int InternCpu(CpuModel model)
    {
        for (var i = 0; i < CpuModels.Length; i++)
        {
            if (CpuModels[i].Vendor == model.Vendor && CpuModels[i].Name == model.Name && CpuModels[i].Features.SequenceEqual(model.Features))
                return i;
        }
        CpuModels = CpuModels.Add(model);
        return CpuModels.Length - 1;
    }

    public void ResetPoolCounts()
    {
        FreeByPool = [.. Enumerable.Range(0, Catalog.PoolCount).Select(_ => new ushort[Ids.Length])];
        for (var host = 0; host < Slots; host++)
            Blocks[host]?.CountedPools.Clear();
    }

    /// <summary>Brings the counts that scans read in line with the host's devices.</summary>
    public void PublishCounts(int host)
    {
        Uncount(host);
        var block = Own(host);
        block.CountedPools.Clear();
        foreach (ref readonly var bucket in block.Devices.Buckets)
        {
            foreach (var pool in Catalog.PoolsOf(bucket.PoolSet))
            {
                if (!block.CountedPools.Contains(pool))
                    block.CountedPools.Add(pool);
            }
        }
        Recount(host);
    }

    /// <summary>Puts a block back as it was, without making it this fleet's own.</summary>
    public void Restore(int host, HostBlock block)
    {
        Uncount(host);
        Blocks[host] = block;
        Recount(host);
    }

    private void Uncount(int host)
    {
        foreach (var pool in Blocks[host]!.CountedPools)
            FreeByPool[pool][host] = 0;
        FreeDevices[host] = 0;
    }

    private void Recount(int host)
    {
        foreach (ref readonly var bucket in Blocks[host]!.Devices.Buckets)
        {
            FreeDevices[host] += (ushort)bucket.Count;
            foreach (var pool in Catalog.PoolsOf(bucket.PoolSet))
                FreeByPool[pool][host] += (ushort)bucket.Count;
        }
    }

    public void ChangeMembers(GroupKey key, int host, int by)
    {
        var hosts = Groups.GetValueOrDefault(key, ImmutableDictionary<int, int>.Empty);
        var count = hosts.GetValueOrDefault(host) + by;
        hosts = count > 0 ? hosts.SetItem(host, count) : hosts.Remove(host);
        Groups = hosts.IsEmpty ? Groups.Remove(key) : Groups.SetItem(key, hosts);
    }

    /// <summary>FNV-1a over an id: spread is all that is wanted.</summary>
    public static ulong Mix(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes);
        var hash = 14695981039346656037UL;
        foreach (var b in bytes)
            hash = (hash ^ b) * 1099511628211UL;
        return hash;
    }

    private void Grow(int size)
    {
        Ids = Resized(Ids, size);
        Accepts = Resized(Accepts, size);
        Hashes = Resized(Hashes, size);
        Limits = Resized(Limits, size);
        Free = Resized(Free, size);
        Cpu = Resized(Cpu, size);
        FreeDevices = Resized(FreeDevices, size);
        Blocks = Resized(Blocks, size);
        for (var pool = 0; pool < FreeByPool.Length; pool++)
            FreeByPool[pool] = Resized(FreeByPool[pool], size);
    }

    private static T[] Resized<T>(T[] array, int size)
    {
        Array.Resize(ref array, size);
        return array;
    }

    private sealed class StrongBox
    {
        public int Value;
    }
}

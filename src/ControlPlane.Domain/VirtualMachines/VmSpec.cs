using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Networks;

namespace ControlPlane.Domain.VirtualMachines;

public enum HugepageSize
{
    None,
    Size2MiB,
    Size1GiB,
}

/// <summary>How an interface reaches its network.</summary>
public enum AttachKind
{
    /// <summary>Paravirtual only.</summary>
    Virtio,

    /// <summary>A virtual function only: no traffic while it is away.</summary>
    Vf,

    /// <summary>A virtual function with a virtio standby of the same MAC that carries the traffic while the function is away.</summary>
    Failover,
}

public enum NumaPolicy
{
    None,
    Preferred,
    Required,
}

public enum DeviceSpread
{
    None,

    /// <summary>All virtual functions come from different physical functions, on one NUMA node and one physical network: safe to bond.</summary>
    DistinctPhysicalFunctions,
}

public enum GroupPolicy
{
    /// <summary>Prefer hosts without members of the group.</summary>
    Spread,

    /// <summary>Prefer hosts with members of the group.</summary>
    Pack,

    /// <summary>Never two members on one host, not even by a race.</summary>
    HardSpread,
}

public sealed record DiskSpec(string Name, int SizeGiB);

/// <param name="Mac">Null: drawn at creation and kept for the VM's life.</param>
public sealed record InterfaceSpec(string Name, NetworkId Network, AttachKind Attach, MacAddress? Mac = null)
{
    public bool WantsVirtualFunction => Attach is AttachKind.Vf or AttachKind.Failover;
}

/// <summary>Devices of a pool, wanted as one named request.</summary>
public sealed record DeviceRequestSpec(string Name, PoolId Pool, int Count);

/// <param name="Host">Only this one; null: any.</param>
/// <param name="HostSelector">Labels that the host must carry.</param>
/// <param name="Group">VMs of one project that name the same group are placed by its policy.</param>
public sealed record PlacementSpec(HostId? Host, IReadOnlyDictionary<string, string> HostSelector, string? Group, GroupPolicy GroupPolicy)
{
    public static readonly PlacementSpec Anywhere = new(null, new Dictionary<string, string>(), null, GroupPolicy.Spread);
}

/// <summary>The VM that was asked for. Immutable but for hot-plugged devices and interfaces.</summary>
/// <param name="Start">Whether it was to run as soon as it was made; says nothing about now.</param>
public sealed record VmSpec(
    int Vcpus, long MemoryMiB, HugepageSize Hugepages, string Image, IReadOnlyList<DiskSpec> Disks, IReadOnlyList<InterfaceSpec> Interfaces,
    IReadOnlyList<DeviceRequestSpec> Devices, NumaPolicy NumaPolicy, DeviceSpread DeviceSpread, PlacementSpec Placement,
    IReadOnlyDictionary<string, string> Labels, bool Start = true)
{
    public const int MaxVcpus = 1024;

    /// <summary>64 TiB.</summary>
    public const long MaxMemoryMiB = 64L * 1024 * 1024;
    public const int MaxInterfaces = 32;
    public const int MaxDevices = 64;
    public const int MaxDisks = 32;

    /// <summary>What the VM takes of its host for as long as it exists there, running or not. Memory is rounded up to whole huge pages.</summary>
    public HostShare ShareOfHost() => Hugepages switch
    {
        HugepageSize.Size2MiB => new HostShare(Vcpus, 0, (int)((MemoryMiB + 1) / 2)),
        HugepageSize.Size1GiB => new HostShare(Vcpus, 0, 0, (int)((MemoryMiB + 1023) / 1024)),
        _ => new HostShare(Vcpus, MemoryMiB),
    };
}

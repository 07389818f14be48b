using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace ControlPlane.Contracts;

[JsonConverter(typeof(KebabCaseConverter<HugepageSize>))]
public enum HugepageSize
{
    None,

    [JsonStringEnumMemberName("2MiB")]
    Size2MiB,

    [JsonStringEnumMemberName("1GiB")]
    Size1GiB,
}

/// <summary>How an interface reaches its network.</summary>
[JsonConverter(typeof(KebabCaseConverter<AttachKind>))]
public enum AttachKind
{
    Virtio,
    Vf,
    Failover,
}

[JsonConverter(typeof(KebabCaseConverter<NumaPolicy>))]
public enum NumaPolicy
{
    None,
    Preferred,
    Required,
}

[JsonConverter(typeof(KebabCaseConverter<DeviceSpread>))]
public enum DeviceSpread
{
    None,
    DistinctPhysicalFunctions,
}

[JsonConverter(typeof(KebabCaseConverter<GroupPolicy>))]
public enum GroupPolicy
{
    Spread,
    Pack,
    HardSpread,
}

public sealed record DiskRequest(string Name, [property: Range(1, 65536)] int SizeGiB);

/// <param name="Name">Unique in the VM, also among its device requests.</param>
/// <param name="Network">Id or name.</param>
/// <param name="Attach">virtio: paravirtual only; vf: a virtual function only; failover: both, the first as the standby of the second.</param>
/// <param name="Mac">Null: drawn once and kept for the VM's life.</param>
public sealed record InterfaceRequest(string Name, string Network, AttachKind Attach = AttachKind.Virtio, string? Mac = null);

/// <param name="Name">Unique in the VM, also among its interfaces.</param>
/// <param name="Pool">Id or name.</param>
public sealed record DeviceRequest(string Name, string Pool, [property: Range(1, 64)] int Count = 1);

/// <param name="Host">Only this one, by id or name; null: any.</param>
/// <param name="HostSelector">Labels that the host must carry.</param>
/// <param name="Group">VMs of one project that name one group are placed by its policy.</param>
public sealed record PlacementRequest(
    string? Host = null, IReadOnlyDictionary<string, string>? HostSelector = null, string? Group = null,
    GroupPolicy GroupPolicy = GroupPolicy.Spread);

/// <param name="Name">A DNS label, unique within the project.</param>
/// <param name="Project">Id or name; absent: <c>default</c>, or the project of the caller's token.</param>
/// <param name="Image">What its first disk starts from; null: blank disks.</param>
/// <param name="Start">False leaves it stopped.</param>
public sealed record CreateVirtualMachineRequest(
    string Name, [property: Range(1, 1024)] int Vcpus, [property: Range(16, 64 * 1024 * 1024)] long MemoryMiB, string? Project = null, HugepageSize Hugepages = HugepageSize.None, string? Image = null,
    IReadOnlyList<DiskRequest>? Disks = null, IReadOnlyList<InterfaceRequest>? Interfaces = null,
    IReadOnlyList<DeviceRequest>? Devices = null, NumaPolicy NumaPolicy = NumaPolicy.Preferred,
    DeviceSpread DeviceSpread = DeviceSpread.None, PlacementRequest? Placement = null, IReadOnlyDictionary<string, string>? Labels = null,
    bool Start = true);

/// <summary>A field that is absent or null stays as it is.</summary>
/// <param name="Labels">Merged into the present ones; a label with the value null is removed.</param>
public sealed record UpdateVirtualMachineRequest(IReadOnlyDictionary<string, string?>? Labels = null);

/// <param name="Force">Pulls the plug: at once, or where <paramref name="TimeoutSeconds"/> is given, when the guest has not powered off by then.</param>
/// <param name="TimeoutSeconds">How long the guest may take to power off; null: 60 without force. Without force the VM runs on when it is over.</param>
public sealed record StopVirtualMachineRequest(bool Force = false, [property: Range(1, 3600)] int? TimeoutSeconds = null);

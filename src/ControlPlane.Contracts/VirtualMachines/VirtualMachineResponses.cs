using System.Text.Json.Serialization;

namespace ControlPlane.Contracts;

[JsonConverter(typeof(KebabCaseConverter<VmState>))]
public enum VmState
{
    Pending,
    Stopped,
    Starting,
    Running,
    Paused,
    Migrating,
    Stopping,
    Failed,
    Deleting,
}

[JsonConverter(typeof(KebabCaseConverter<LinkState>))]
public enum LinkState
{
    Up,
    Down,
}

/// <summary>The VM as it was asked for, with every default filled in.</summary>
public sealed record VmSpecResponse(
    string Name, string Project, int Vcpus, long MemoryMiB, HugepageSize Hugepages, string Image, IReadOnlyList<DiskRequest> Disks,
    IReadOnlyList<InterfaceRequest> Interfaces, IReadOnlyList<DeviceRequest> Devices, NumaPolicy NumaPolicy, DeviceSpread DeviceSpread,
    PlacementSpecResponse Placement, IReadOnlyDictionary<string, string> Labels, bool Start);

public sealed record PlacementSpecResponse(
    string? Host, IReadOnlyDictionary<string, string> HostSelector, string? Group, GroupPolicy GroupPolicy);

/// <summary>The function of the host that serves an interface.</summary>
/// <param name="Address">On the host.</param>
/// <param name="GuestAddress">In the guest; stays for the VM's life, also over a migration.</param>
/// <param name="Generation">Of its ownership.</param>
/// <param name="Plugged">False while it is away: in a migration, or degraded onto the standby.</param>
public sealed record InterfaceDeviceResponse(string Address, string GuestAddress, long Generation, bool Plugged);

/// <param name="Device">Null for virtio, and while a virtual function is missing.</param>
/// <param name="GuestAddress">Of the virtio device (the interface itself, or the standby); null for vf.</param>
public sealed record InterfaceResponse(
    string Name, string Network, string Mac, AttachKind Attach, InterfaceDeviceResponse? Device, string? GuestAddress, LinkState LinkState);

/// <param name="Name">The request's name; its second, third… device carries <c>-1</c>, <c>-2</c>… behind it.</param>
public sealed record AttachedDeviceResponse(
    string Name, string Request, string Pool, string Address, string GuestAddress, long Generation, bool Plugged);

/// <summary>Something an operator should know that is no state.</summary>
public sealed record ConditionResponse(string Type, bool Status, string Reason, DateTimeOffset Since);

/// <param name="Host">The name of the host it runs, or would run, on; null when it has none.</param>
/// <param name="OperationId">The operation under way; null: none.</param>
public sealed record VirtualMachineResponse(
    string Id, string Name, string Project, VmSpecResponse Spec, VmState State, string? Host, long Generation,
    IReadOnlyList<InterfaceResponse> Interfaces, IReadOnlyList<AttachedDeviceResponse> Devices, IReadOnlyList<ConditionResponse> Conditions,
    string? OperationId, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

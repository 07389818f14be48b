using ControlPlane.Domain;
using ControlPlane.Domain.VirtualMachines;

namespace ControlPlane.Orchestration.VirtualMachines;

/// <summary>
/// A VM as the caller wrote it: names or ids of networks, pools and hosts not resolved yet, ranges not checked.
/// The resolver turns it into a <see cref="VmSpec"/> or says what is wrong, field by field.
/// </summary>
/// <param name="Project">Resolved by the endpoint, because the caller's rights depend on it.</param>
public sealed record VmDraft(
    string? Name, ProjectId Project, long Vcpus, long MemoryMiB, HugepageSize Hugepages, string? Image, IReadOnlyList<DiskDraft> Disks,
    IReadOnlyList<InterfaceDraft> Interfaces, IReadOnlyList<DeviceRequestDraft> Devices, NumaPolicy NumaPolicy, DeviceSpread DeviceSpread,
    PlacementDraft Placement, IReadOnlyDictionary<string, string> Labels, bool Start);

/// <summary>A disk as the caller wrote it, its size not checked.</summary>
public sealed record DiskDraft(string? Name, long SizeGiB);

/// <param name="Network">Name or id.</param>
/// <param name="Mac">As written; null: drawn.</param>
public sealed record InterfaceDraft(string? Name, string? Network, AttachKind Attach, string? Mac);

/// <param name="Pool">Name or id.</param>
public sealed record DeviceRequestDraft(string? Name, string? Pool, long Count);

/// <param name="Host">Name or id; null: any.</param>
public sealed record PlacementDraft(string? Host, IReadOnlyDictionary<string, string> HostSelector, string? Group, GroupPolicy GroupPolicy)
{
    public static readonly PlacementDraft Anywhere = new(null, new Dictionary<string, string>(), null, GroupPolicy.Spread);
}

using ControlPlane.Domain;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Orchestration.DevicePools;

/// <summary>A pool as the caller wrote it: ids in hex, hosts by id or name, addresses as text.</summary>
public sealed record PoolDraft(string? Name, PoolKind Kind, IReadOnlyList<PoolMatchDraft> Match, string? PhysicalNetwork);

public sealed record PoolMatchDraft(
    string? VendorId, string? DeviceId, string? ClassCode, string? Host, string? Address, string? PhysicalFunction);

public sealed record CreateDevicePool(PoolDraft Draft);

/// <summary>The name and the kind stay: VMs hold devices by them.</summary>
/// <param name="Expected">The generation that If-Match named; null: any.</param>
public sealed record ReplaceDevicePool(PoolId Pool, PoolDraft Draft, Generation? Expected);

/// <summary>Refused while a VM asks for it or a quota names it.</summary>
public sealed record DeleteDevicePool(PoolId Pool, Generation? Expected);

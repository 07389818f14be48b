using ControlPlane.Domain;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Scheduling.Placements;

/// <summary>What makes two functions stand in for each other in a migration: the guest's driver sees the same hardware.</summary>
public readonly record struct AlikeDevice(ushort VendorId, ushort DeviceId)
{
    public static AlikeDevice Of(PciFunction function) => new(function.VendorId, function.DeviceId);

    public override string ToString() => $"{VendorId:x4}:{DeviceId:x4}";
}

/// <summary>One function wanted by a VM. A request for several is as many demands.</summary>
/// <param name="Name">The interface's name, or the device request's: <c>acc0</c>, <c>acc0-1</c>…</param>
/// <param name="Pool">The pool it must come from; null: the interface on <paramref name="PhysicalNetwork"/> takes any virtual function that serves it.</param>
/// <param name="PhysicalNetwork">
/// Only without a pool: the wire behind the interface's network. A network controller's virtual function from any pool on this wire
/// serves it; null: from any pool of virtual functions.
/// </param>
/// <param name="AlikeTo">In a migration, the model of the source device; null: any model of the pool.</param>
public sealed record DeviceDemand(string Name, PoolId? Pool, string? PhysicalNetwork = null, AlikeDevice? AlikeTo = null)
{
    public bool IsForInterface => Pool is null;
}

/// <summary>An interface's wire, whether or not it wants a function: the host must reach it.</summary>
public sealed record NetworkDemand(string Interface, string? PhysicalNetwork);

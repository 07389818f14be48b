using ControlPlane.Hypervisor.Emulated.Net;

namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>
/// Of a virtio NIC: how far driver and device have gone through the rings (the device's part is what VHOST_GET_VRING_BASE gives), and which buffers the
/// driver has at hand.
/// </summary>
/// <param name="FreeBuffers">The next to be used last.</param>
internal sealed record VirtioState(DriverMemory Rings, VirtqueueState Transmit, VirtqueueState Receive, int[] FreeBuffers, int[] FreeLarge) : NicState(Rings.At);

/// <summary>Both sides' places in one virtqueue.</summary>
internal readonly record struct VirtqueueState(DriverIndices Driver, DeviceIndices Device);

/// <param name="Available">Chains that were offered, in all.</param>
/// <param name="ToldUntil">Of them, those of which the device was or need not be told.</param>
/// <param name="UsedUntil">Chains that were taken back.</param>
internal readonly record struct DriverIndices(ushort Available, ushort ToldUntil, ushort UsedUntil);

/// <param name="Taken">Chains that were taken from the ring.</param>
/// <param name="Used">Chains that were given back.</param>
/// <param name="ToldUntil">Of them, those of which the driver was or need not be told.</param>
internal readonly record struct DeviceIndices(ushort Taken, ushort Used, ushort ToldUntil);

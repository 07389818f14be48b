using ControlPlane.Hypervisor.Emulated.Net;

namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>Of an emulated 8254x: the registers of the device model (QEMU: <c>vmstate_e1000</c>), and how far the driver has gone through its rings.</summary>
/// <param name="Registers">Those that are not zero.</param>
internal sealed record E1000State(DriverMemory Rings, E1000Places Driver, IReadOnlyDictionary<E1000Register, uint> Registers) : NicState(Rings.At);

/// <param name="TransmitTail">Where the next frame to send goes.</param>
/// <param name="Reclaimed">Up to where sent frames' buffers were taken back.</param>
/// <param name="ReceiveNext">Where the next frame comes.</param>
internal readonly record struct E1000Places(int TransmitTail, int Reclaimed, int ReceiveNext);

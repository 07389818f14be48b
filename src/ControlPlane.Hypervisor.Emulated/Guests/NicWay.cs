namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>How the frames of an interface pass between a guest and its host: the values of <c>emulator.nic</c>.</summary>
internal enum NicWay
{
    Virtio,
    E1000,
    Xen,
    Vmdq,
    SelfVirtualized,
}

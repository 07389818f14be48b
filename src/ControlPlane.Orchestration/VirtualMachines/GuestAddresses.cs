using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;

namespace ControlPlane.Orchestration.VirtualMachines;

/// <summary>
/// Chooses where the guest sees its devices. Each stands alone behind a PCI Express root port of its own, so every one can be
/// hot-plugged, and its address is its port's bus: <c>0000:NN:00.0</c>. An address is kept for the VM's life.
/// </summary>
public static class GuestAddresses
{
    /// <summary>Root ports that a guest is given: as many as its interfaces (twice, for failover pairs), devices and some to spare need.</summary>
    public const int MaxPorts = 192;

    /// <summary>The lowest buses that nothing of the VM stands on.</summary>
    public static IEnumerable<PciAddress> Free(IEnumerable<VmInterface> interfaces, IEnumerable<DeviceAttachment> attachments)
    {
        var taken = interfaces.Select(i => i.VirtioAddress).OfType<PciAddress>().Concat(attachments.Select(a => a.GuestAddress)).ToHashSet();
        return Enumerable.Range(1, MaxPorts).Select(bus => new PciAddress(0, bus, 0, 0)).Where(a => !taken.Contains(a));
    }
}
